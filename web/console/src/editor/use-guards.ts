import { onBeforeUnmount, onMounted } from 'vue'
import { onBeforeRouteLeave } from 'vue-router'
import { ElMessageBox } from 'element-plus'
import type { Draft } from '@/state/draft'

/** Ctrl+S saves; nobody leaves with something unsaved without being asked. */
export function useGuards(draft: Draft): void {
  function leaving(e: BeforeUnloadEvent): void {
    if (!draft.dirty.value) return
    void draft.flush()
    e.preventDefault()
  }
  function shortcut(e: KeyboardEvent): void {
    if ((e.ctrlKey || e.metaKey) && e.key === 's') {
      e.preventDefault()
      void draft.flush(false)
    }
  }
  onMounted(() => {
    window.addEventListener('beforeunload', leaving)
    window.addEventListener('keydown', shortcut)
  })
  onBeforeUnmount(() => {
    draft.stop()
    window.removeEventListener('beforeunload', leaving)
    window.removeEventListener('keydown', shortcut)
  })
  onBeforeRouteLeave(async () => {
    if (!draft.dirty.value || (await draft.flush())) return true
    const yes = await ElMessageBox.confirm('最近的改动还没有保存成功，离开会丢失。', '还没保存', {
      confirmButtonText: '仍要离开',
      cancelButtonText: '留下',
    }).catch(() => null)
    return yes !== null
  })
}
