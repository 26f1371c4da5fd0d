// Runs the demonstration of a built program for as long as work takes.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

/** Calls work({ base, links }) with the address and the one-time links by person. */
export async function withDemo(binary, work) {
  const data = mkdtempSync(join(tmpdir(), 'tongxin-'))
  const addr = `127.0.0.1:${await freePort()}`
  // The program refuses settings that it does not know, and the tests have some.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TONGXIN_')))
  const program = spawn(binary, ['demo'], {
    env: { ...env, TONGXIN_ADDR: addr, TONGXIN_DATA: data, TONGXIN_METRICS_ADDR: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(program, 'exit')
  try {
    const links = {}
    for await (const line of createInterface({ input: program.stdout })) {
      const m = /（([^（）]+)）\s+(http\S+token=\S+)/.exec(line)
      if (m) links[m[1]] = m[2]
      if (line.includes('Ctrl+C')) break
    }
    return await work({ base: `http://${addr}`, links })
  } finally {
    program.kill('SIGTERM')
    await ended
    rmSync(data, { recursive: true, force: true })
  }
}
