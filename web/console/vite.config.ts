import { fileURLToPath } from 'node:url'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import vue from '@vitejs/plugin-vue'
import Components from 'unplugin-vue-components/vite'
import { ElementPlusResolver } from 'unplugin-vue-components/resolvers'
import { defineConfig, type Plugin } from 'vite'

const server = process.env.TONGXIN_URL ?? 'http://127.0.0.1:8080'
const outDir = fileURLToPath(new URL('../../handlers/dist/console', import.meta.url))

// The Go program embeds the output folder, which must exist in a fresh clone:
// everything in it is replaced by a build except the committed .keep file.
function emptyOutput(): Plugin {
  return {
    name: 'empty-output-but-keep',
    apply: 'build',
    buildStart() {
      let names: string[] = []
      try {
        names = readdirSync(outDir)
      } catch {
        return
      }
      for (const name of names) {
        if (name !== '.keep') rmSync(join(outDir, name), { recursive: true, force: true })
      }
    },
  }
}

export default defineConfig({
  base: '/console/',
  plugins: [
    vue(),
    Components({ dirs: [], dts: 'components.d.ts', resolvers: [ElementPlusResolver({ importStyle: 'css' })] }),
    emptyOutput(),
  ],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  // The host stays as it is: the server compares it with the Origin.
  server: { proxy: { '/api': { target: server, changeOrigin: false }, '/pictures': { target: server, changeOrigin: false }, '/whip': { target: server, changeOrigin: false }, '/ws': { target: server, changeOrigin: false, ws: true } } },
  build: {
    outDir,
    emptyOutDir: false,
    target: 'es2022',
    // The server's policy is script-src 'self': nothing may be inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    cssCodeSplit: true,
    chunkSizeWarningLimit: 700,
    rollupOptions: {
      output: {
        manualChunks(id) {
          if (/node_modules\/(@vue|vue|vue-router)\//.test(id)) return 'vue'
          if (/node_modules\/(@codemirror|@lezer|style-mod|crelt|w3c-keyname|@marijn)/.test(id)) return 'codemirror'
          if (/node_modules\/(@tiptap|prosemirror-|orderedmap|rope-sequence|linkifyjs)/.test(id)) return 'tiptap'
          return undefined
        },
      },
    },
  },
})
