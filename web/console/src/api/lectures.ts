import { BASE, client, match, once, take } from './http'
import type { components, operations } from './schema.gen'

type S = components['schemas']
export type Lecture = S['LiveRoom']
export type LectureForm = S['LiveInput']
export type Pass = S['LivePass']
export type Attendee = S['LiveAttendee']

const at = (id: string) => ({ params: { path: { id } } })
const edit = (id: string, version: number) => ({ params: { path: { id }, header: match(version) } })

export const listLectures = (query: NonNullable<operations['listLectures']['parameters']['query']>) => take(client.GET('/lectures', { params: { query } }))
export const getLecture = (id: string) => take(client.GET('/lectures/{id}', at(id)))
export const createLecture = (body: LectureForm, key: string) => take(client.POST('/lectures', { params: { header: once(key) }, body }))
export const saveLecture = (id: string, version: number, body: LectureForm) => take(client.PUT('/lectures/{id}', { ...edit(id, version), body }))
export const deleteLecture = (id: string, version: number) => take(client.DELETE('/lectures/{id}', edit(id, version)))
export const stepLecture = (id: string, verb: 'open' | 'end' | 'lock' | 'unlock') => take(client.POST(`/lectures/{id}/${verb}`, at(id)))
export const removeFromLecture = (id: string, personId: string) => take(client.POST('/lectures/{id}/remove', { ...at(id), body: { personId } }))
export const publishLecture = (id: string, obs: boolean) => take(client.POST('/lectures/{id}/publish', { ...at(id), body: { obs } }))
export const lectureAttendance = (id: string) => take(client.GET('/lectures/{id}/attendance', at(id)))
export const attendanceUrl = (id: string): string => `${BASE}/lectures/${id}/attendance.xlsx`
