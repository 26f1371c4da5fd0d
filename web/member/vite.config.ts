import { fileURLToPath } from 'node:url'
import uniPlugin from '@dcloudio/vite-plugin-uni'
import { defineConfig, type Plugin } from 'vite'

// The package is CommonJS; as an ES module its default export is wrapped.
const uni = (uniPlugin as unknown as { default?: typeof uniPlugin }).default ?? uniPlugin

// The runtime of uni-app fetches a picture from its maker's server three
// seconds after every start. Nothing of ours needs it, and WeChat's list of
// server domains has no place for it.
function stayHome(): Plugin {
  return {
    name: 'no-preload-from-elsewhere',
    enforce: 'pre',
    transform(code, id) {
      if (!id.includes('uni-mp-weixin') || !code.includes('function preloadAsset()')) return null
      return code.replace(/function preloadAsset\(\) \{[\s\S]*?\r?\n\}\r?\n/, 'function preloadAsset() {}\n')
    },
  }
}

export default defineConfig({
  plugins: [stayHome(), uni()],
  resolve: {
    alias: {
      '@platform': fileURLToPath(new URL(`./src/platform/${process.env.UNI_PLATFORM === 'mp-weixin' ? 'mini' : 'h5'}.ts`, import.meta.url)),
      '@': fileURLToPath(new URL('./src', import.meta.url)),
    },
  },
  server: { port: 5174, proxy: { '/api': 'http://127.0.0.1:8080', '/whep': 'http://127.0.0.1:8080', '/ws': { target: 'ws://127.0.0.1:8080', ws: true } } },
  build: {
    target: 'es2018',
    // The server's policy is script-src 'self': nothing may be inlined.
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 800,
  },
  css: { preprocessorOptions: { scss: { quietDeps: true, silenceDeprecations: ['legacy-js-api', 'import'] } } },
})
