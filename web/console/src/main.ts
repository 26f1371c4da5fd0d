import { createApp } from 'vue'
import 'element-plus/es/components/base/style/css'
import 'element-plus/es/components/message/style/css'
import 'element-plus/es/components/message-box/style/css'
import './styles/tokens.css'
import './styles/element.css'
import './styles/base.css'
import './styles/print.css'
import App from './App.vue'
import { whenSignedOut } from './api/http'
import { makeRouter } from './router'
import { Session, sessionKey } from './state/session'

const session = new Session()
const router = makeRouter(session)

whenSignedOut(() => {
  const here = router.currentRoute.value
  if (here.meta.open) return
  session.forget()
  void router.replace({ path: '/sign-in', query: { back: here.fullPath } })
})

createApp(App).provide(sessionKey, session).use(router).mount('#app')
