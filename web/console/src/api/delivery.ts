import type { Page } from '@/state/list'
import { call, type Query } from './http'
import type { Delivery, DeliveryEvent, Figures, Post } from './types'

const at = (id: string) => ({ path: { id } })

export type DeliveryDetail = Delivery & { events: DeliveryEvent[] | null; known: string[] | null; figures: Figures[] | null }
export const listDeliveries = (query: Query) => call<Page<Delivery>>('GET', '/deliveries', { query })
export const readDelivery = (id: string) => call<DeliveryDetail>('GET', '/deliveries/{id}', at(id))
export const resolveDelivery = (
  id: string,
  answer: 'published' | 'not_published' | 'look_again',
  reason: string,
  articleUrl?: string,
) => call<Delivery>('POST', '/deliveries/{id}/resolve', { ...at(id), body: { answer, reason, articleUrl } })
export const confirmByHand = (id: string, articleUrl?: string) =>
  call<Delivery>('POST', '/deliveries/{id}/by-hand', { ...at(id), body: { articleUrl } })
export const retract = (id: string, reason: string, confirm: string) =>
  call<Delivery>('POST', '/deliveries/{id}/retract', { ...at(id), body: { reason, confirm } })
export const retry = (id: string) => call<Post>('POST', '/deliveries/{id}/retry', at(id))
