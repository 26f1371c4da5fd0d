import { call, get } from './index'
import type {
  Answer, Attempt, Certificate, ContestCard, Daily, Joined, OwnResult, Page, PaperCard, PaperDetail, Ranking, Rating, Result, Saved, Topic, TopicResult, Wrong,
} from './types'

export const daily = (): Promise<Daily> => get('/quiz/daily')
export const papers = (state: 'open' | 'past', cursor?: string): Promise<Page<PaperCard>> => get('/papers', { state, cursor })
export const paper = (id: string): Promise<PaperDetail> => get(`/papers/${id}`)
export const start = (paperId: string, key: string): Promise<Attempt> => call('POST', `/papers/${paperId}/attempts`, { key, body: {} })
export const attempt = (id: string): Promise<Attempt> => get(`/attempts/${id}`)
export const submit = (id: string): Promise<Result> => call('POST', `/attempts/${id}/submit`, { key: `submit-${id}`, body: {} })
export const result = (id: string): Promise<Result> => get(`/attempts/${id}/result`)

/** Sends answers, each with the counter of its question; the queue tries again. */
export async function save(id: string, list: { n: number; seq: number; answer: Answer }[]): Promise<Saved[]> {
  const [only] = list
  if (list.length === 1 && only) {
    return [await call<Saved>('PUT', `/attempts/${id}/answers/${only.n}`, { body: { seq: only.seq, answer: only.answer }, retries: 0 })]
  }
  return (await call<{ items: Saved[] }>('POST', `/attempts/${id}/answers`, { body: { answers: list } })).items
}

export const topics = (): Promise<Page<Topic>> => get('/topics')
export const practise = (o: { topic?: string; count?: number; source: 'topic' | 'wrong' | 'gaps' }, key: string): Promise<Attempt> =>
  call('POST', '/practice', { body: o, key })
export const wrong = (o: { topic?: string; due?: boolean; cursor?: string } = {}): Promise<Page<Wrong> & { due: number }> => get('/wrong', o)
export const rate = (id: string, rating: Rating, key: string): Promise<void> => call('POST', `/wrong/${id}/rate`, { body: { rating }, key })
export const dropWrong = (id: string): Promise<void> => call('DELETE', `/wrong/${id}`)

export const contests = (): Promise<Page<ContestCard>> => get('/contests')
export const joinContest = (id: string, team?: string): Promise<Joined> => call('POST', `/contests/${id}/join`, { body: team ? { team } : {} })
export const joinByCode = (code: string, team?: string): Promise<Joined> => call('POST', '/contests/join', { body: team ? { code, team } : { code } })
export const match = (size: 2 | 4, topic?: string): Promise<Joined> => call('POST', '/contests/match', { body: topic ? { size, topic } : { size } })

export const ownResults = (cursor?: string): Promise<Page<OwnResult>> => get('/results', { cursor })
export const topicResults = (): Promise<{ items: TopicResult[] }> => get('/results/topics')
export const ranking = (paperId: string): Promise<Ranking> => get(`/papers/${paperId}/ranking`)
export const certificates = (): Promise<Page<Certificate>> => get('/certificates')
