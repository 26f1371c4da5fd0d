import { fileURLToPath } from 'node:url'
import uniPlugin from '@dcloudio/vite-plugin-uni'
import { defineConfig } from 'vite'

// The package is CommonJS; as an ES module its default export is wrapped.
const uni = (uniPlugin as unknown as { default?: typeof uniPlugin }).default ?? uniPlugin

export default defineConfig({
  plugins: [uni()],
  resolve: {
    alias: {
      '@platform': fileURLToPath(new URL(`./src/platform/${process.env.UNI_PLATFORM === 'mp-weixin' ? 'mini' : 'h5'}.ts`, import.meta.url)),
      '@': fileURLToPath(new URL('./src', import.meta.url)),
    },
  },
  server: { port: 5174, proxy: { '/api': 'http://127.0.0.1:8080', '/ws': { target: 'ws://127.0.0.1:8080', ws: true } } },
  build: {
    target: 'es2018',
    // The server's policy is script-src 'self': nothing may be inlined.
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 800,
  },
  css: { preprocessorOptions: { scss: { quietDeps: true, silenceDeprecations: ['legacy-js-api', 'import'] } } },
})
