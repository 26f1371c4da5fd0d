import { onShow } from '@dcloudio/uni-app'
import { sentence } from '@/api/problem'
import { enter, state } from './me'

/** For pages of members: whenever the page shows, signs in if need be and then loads. */
export function usePage(load: () => unknown): { again: () => Promise<void> } {
  async function again(): Promise<void> {
    try {
      state.trouble = ''
      if (await enter()) await load()
    } catch (e) {
      state.trouble = sentence(e)
    }
  }
  onShow(again)
  return { again }
}
