import { BASE, client, match, once, take } from './http'
import type { components, operations } from './schema.gen'

type S = components['schemas']
export type Contest = S['ContestContest']
export type ContestForm = S['ContestInput']
export type ContestPlayer = S['ContestPlayer']
export type ContestOutcome = S['ContestOutcome']
export type Place = S['ContestPlace']
export type TeamPlace = S['ContestTeamPlace']
export type Entrance = S['ContestEntrance']
export type Shown = S['QuizShown']
export type Key = S['QuizKey']
export type Question = S['QuizQuestion']
export type Topic = S['QuizTopic']
export type Verb = 'start' | 'next' | 'skip' | 'pause' | 'resume' | 'lock' | 'unlock' | 'end'

const at = (id: string) => ({ params: { path: { id } } })
const edit = (id: string, version: number) => ({ params: { path: { id }, header: match(version) } })

export const listContests = (query: NonNullable<operations['listContests']['parameters']['query']>) => take(client.GET('/contests', { params: { query } }))
export const getContest = (id: string) => take(client.GET('/contests/{id}', at(id)))
export const createContest = (body: ContestForm, key: string) => take(client.POST('/contests', { params: { header: once(key) }, body }))
export const saveContest = (id: string, version: number, body: ContestForm) => take(client.PUT('/contests/{id}', { ...edit(id, version), body }))
export const deleteContest = (id: string, version: number) => take(client.DELETE('/contests/{id}', edit(id, version)))
export const openContest = (id: string) => take(client.POST('/contests/{id}/open', at(id)))
/** seen is the question on the host's screen: a second press of the same button then does nothing. */
export const commandContest = (id: string, verb: Verb, seen?: number) =>
  take(client.POST(`/contests/{id}/${verb}`, { ...at(id), body: { seen } }))
export const removePlayer = (id: string, playerId: string) => take(client.POST('/contests/{id}/remove', { ...at(id), body: { playerId } }))
export const contestTicket = (id: string, role: 'host' | 'projector') => take(client.POST(`/contests/{id}/${role}-ticket`, at(id)))
export const listPlayers = (id: string, query: NonNullable<operations['listPlayers']['parameters']['query']>) =>
  take(client.GET('/contests/{id}/players', { params: { path: { id }, query } }))
export const contestResults = (id: string) => take(client.GET('/contests/{id}/results', at(id)))
export const resultsUrl = (id: string): string => `${BASE}/contests/${id}/results.xlsx`

export const findQuestions = (query: NonNullable<operations['listQuestions']['parameters']['query']>) => take(client.GET('/questions', { params: { query } }))
export const readQuestion = (id: string) => take(client.GET('/questions/{id}', at(id)))
export const questionTopics = async (): Promise<Topic[]> => (await take(client.GET('/topics'))).items ?? []
