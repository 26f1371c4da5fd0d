import { reactive } from 'vue'
import { unread } from '@/api/news'

export const news = reactive({ unread: 0 })

/** Counts anew; a failure leaves the old figure. */
export async function countNews(): Promise<void> {
  try {
    news.unread = (await unread()).unread
  } catch {
    // The list itself says what is wrong.
  }
}
