// Bundles the tests with the code they test and runs them with Node's own runner.
import { spawnSync } from 'node:child_process'
import { readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = dirname(fileURLToPath(import.meta.url))
const out = join(here, '..', 'node_modules', '.cache', 'test')
rmSync(out, { recursive: true, force: true })
await build({
  entryPoints: readdirSync(here).filter((n) => n.endsWith('.test.ts')).map((n) => join(here, n)),
  outdir: out,
  bundle: true,
  platform: 'node',
  format: 'esm',
  outExtension: { '.js': '.mjs' },
  alias: { '@': join(here, '..', 'src') },
  logLevel: 'warning',
})
const files = readdirSync(out).map((n) => join(out, n))
process.exit(spawnSync(process.execPath, ['--test', ...files], { stdio: 'inherit' }).status ?? 1)
