import { client, take } from './http'
import type { components } from './schema.gen'

const at = (id: string) => ({ params: { path: { id } } })

export type Verdict = components['schemas']['ResolveDeliveryInBody']
export const readDelivery = (id: string) => take(client.GET('/deliveries/{id}', at(id)))
export const resolveDelivery = (id: string, body: Verdict) =>
  take(client.POST('/deliveries/{id}/resolve', { ...at(id), body }))
export const confirmByHand = (id: string, articleUrl?: string) =>
  take(client.POST('/deliveries/{id}/by-hand', { ...at(id), body: { articleUrl } }))
export const retract = (id: string, reason: string, confirm: string) =>
  take(client.POST('/deliveries/{id}/retract', { ...at(id), body: { reason, confirm } }))
export const retry = (id: string) => take(client.POST('/deliveries/{id}/retry', at(id)))
