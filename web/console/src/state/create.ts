import { ElMessage } from 'element-plus'
import { useRouter } from 'vue-router'
import { createPost } from '@/api/posts'
import { sentence } from '@/api/problem'
import { newKey } from '@/api/http'
import { useSession } from './session'

/** Starts a new post in the chosen organisation and opens the editor. */
export function useNewPost(): () => Promise<void> {
  const session = useSession()
  const router = useRouter()
  let key = newKey()
  let busy = false
  return async () => {
    if (busy) return
    busy = true
    try {
      const p = await createPost(session.orgId.value, key)
      key = newKey()
      await router.push(`/posts/${p.id}/edit`)
    } catch (e) {
      ElMessage.error(sentence(e))
    } finally {
      busy = false
    }
  }
}
