// Builds one of the two: `node build.mjs h5` puts the pages where the Go program
// embeds them, `node build.mjs mp-weixin` makes the mini-program in dist/mp-weixin.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const here = dirname(fileURLToPath(import.meta.url))
const target = process.argv[2]
const out = join(here, 'dist', target)

function run() {
  rmSync(out, { recursive: true, force: true })
  const uni = join(here, 'node_modules', '@dcloudio', 'vite-plugin-uni', 'bin', 'uni.js')
  const r = spawnSync(process.execPath, [uni, 'build', '-p', target], {
    cwd: here,
    env: { ...process.env, NODE_ENV: 'production', UNI_OUTPUT_DIR: out },
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  })
  if (r.status !== 0) {
    process.stdout.write(r.stdout ?? '')
    process.exit(r.status ?? 1)
  }
}

function files(dir, under = '') {
  return readdirSync(join(dir, under), { withFileTypes: true }).flatMap((e) =>
    e.isDirectory() ? files(dir, join(under, e.name)) : [join(under, e.name)],
  )
}
const kb = (n) => `${(n / 1024).toFixed(1)} KB`

/** Everything in the output folder is replaced but a committed .keep; text files get packed twins. */
function publish(to) {
  mkdirSync(to, { recursive: true })
  for (const name of readdirSync(to)) if (name !== '.keep') rmSync(join(to, name), { recursive: true, force: true })
  cpSync(out, to, { recursive: true })
  for (const name of files(to).filter((n) => n.endsWith('.css'))) {
    // uni-app's own sheet fetches a shadow from its maker's server, which the policy refuses.
    const css = readFileSync(join(to, name), 'utf8').replace(/background-image:\s*url\(["']?https?:[^)]*\)/g, 'background-image:none')
    if (/url\(["']?(https?:)?\/\//.test(css)) throw new Error(`${name} loads something from elsewhere`)
    writeFileSync(join(to, name), css)
  }
  let raw = 0
  let packed = 0
  for (const name of files(to)) {
    if (!/\.(js|css|html|svg)$/.test(name)) continue
    const bytes = readFileSync(join(to, name))
    const br = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } })
    raw += bytes.length
    packed += br.length < bytes.length ? br.length : bytes.length
    if (bytes.length < 1024) continue
    writeFileSync(join(to, name + '.br'), br)
    writeFileSync(join(to, name + '.gz'), gzipSync(bytes, { level: 9 }))
  }
  console.log(`member pages: ${kb(raw)}, ${kb(packed)} packed, all of them`)
}

/** The settings of the developer tool: whose mini-program it is. */
function name() {
  const file = join(out, 'project.config.json')
  const config = JSON.parse(readFileSync(file, 'utf8'))
  if (process.env.TONGXIN_MINI_APPID) config.appid = process.env.TONGXIN_MINI_APPID
  writeFileSync(file, JSON.stringify(config, null, 2) + '\n')
  console.log(`mini-program: ${kb(files(out).reduce((sum, f) => sum + readFileSync(join(out, f)).length, 0))}`)
}

if (target !== 'h5' && target !== 'mp-weixin') {
  console.error('usage: node build.mjs h5|mp-weixin')
  process.exit(2)
}
run()
if (target === 'h5') publish(join(here, '..', '..', 'handlers', 'dist', 'member'))
else name()
if (!existsSync(join(out, target === 'h5' ? 'index.html' : 'app.json'))) process.exit(1)
