// Bundles the unit tests with the code they test and runs them with Node's own
// runner, then those of the built mini-program.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = dirname(fileURLToPath(import.meta.url))
const src = join(here, '..', 'src')
const out = join(here, '..', 'node_modules', '.cache', 'test')
const only = process.argv[2] // a part of a file name
const named = (n) => !only || n.includes(only)

rmSync(out, { recursive: true, force: true })
const units = readdirSync(join(here, 'unit')).filter((n) => n.endsWith('.test.ts') && named(n))
if (units.length) {
  await build({
    entryPoints: units.map((n) => join(here, 'unit', n)),
    outdir: out,
    bundle: true,
    platform: 'node',
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    alias: { '@': src, '@platform': join(src, 'platform', 'h5.ts') },
    logLevel: 'warning',
  })
}
if (!existsSync(join(here, '..', 'dist', 'mp-weixin', 'app.json'))) {
  console.error('the mini-program is not built: run `npm run build:mp` first (or `make web`)')
  process.exit(1)
}
const files = [
  ...units.map((n) => join(out, n.replace(/\.ts$/, '.mjs'))),
  ...readdirSync(join(here, 'mini')).filter((n) => n.endsWith('.test.mjs') && named(n)).map((n) => join(here, 'mini', n)),
]
if (!files.length) {
  console.error(`no test is named like ${only}`)
  process.exit(1)
}
// A test that fails leaves its page's timers behind: without these the run would never end.
const flags = ['--test', '--test-force-exit', '--test-timeout=120000']
process.exit(spawnSync(process.execPath, [...flags, ...files], { stdio: 'inherit' }).status ?? 1)
