import { call, get } from './index'
import type { Page } from './types'

export interface Lecture {
  id: string
  title: string
  speaker?: string
  orgName: string
  state: 'planned' | 'open' | 'ended'
  startsAt: string
  openedAt?: string
  agenda: string[]
  present: number
}
export interface LecturePass {
  roomId: string
  path: string
  bearer: string
  expiresAt: string
}

export const lectures = (cursor?: string): Promise<Page<Lecture>> => get('/lectures', { cursor })
export const lecture = (id: string): Promise<Lecture> => get(`/lectures/${id}`)
export const joinLecture = (id: string): Promise<LecturePass> => call('POST', `/lectures/${id}/join`, { body: {} })
export const joinLectureByCode = (code: string): Promise<LecturePass> => call('POST', '/lectures/join', { body: { code } })
