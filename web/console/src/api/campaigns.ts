import { client, match, once, take } from './http'
import type { components, operations } from './schema.gen'

type S = components['schemas']
export type Campaign = S['NotifyCampaign']
export type CampaignState = Campaign['state']
export type CampaignForm = S['NotifyInput']
export type Audience = S['NotifyAudience']
export type CampaignPreview = S['NotifyPreview']
export type Recipient = S['NotifyRecipient']
export type BranchCount = S['NotifyBranchCount']
export type NotifySettings = S['NotifySettings']
export type NotifyTemplate = S['NotifyTemplate']
export type RecipientQuery = NonNullable<operations['listRecipients']['parameters']['query']>
export type UnreadQuery = NonNullable<operations['listUnread']['parameters']['query']>
export type Act = 'start' | 'pause' | 'resume' | 'cancel' | 'retry'

const at = (id: string) => ({ params: { path: { id } } })
const edit = (id: string, version: number) => ({ params: { path: { id }, header: match(version) } })

export const listCampaigns = (query: NonNullable<operations['listCampaigns']['parameters']['query']>) =>
  take(client.GET('/notify/campaigns', { params: { query } }))
export const getCampaign = (id: string) => take(client.GET('/notify/campaigns/{id}', at(id)))
export const createCampaign = (body: CampaignForm, key: string) =>
  take(client.POST('/notify/campaigns', { params: { header: once(key) }, body }))
export const saveCampaign = (id: string, version: number, body: CampaignForm) =>
  take(client.PUT('/notify/campaigns/{id}', { ...edit(id, version), body }))
export const deleteCampaign = (id: string, version: number) => take(client.DELETE('/notify/campaigns/{id}', edit(id, version)))
export const previewCampaign = (body: CampaignForm) => take(client.POST('/notify/audience/preview', { body }))
export const actCampaign = (id: string, version: number, what: Act) =>
  take(client.POST(`/notify/campaigns/{id}/${what}`, edit(id, version)))
export const listRecipients = (id: string, query: RecipientQuery) =>
  take(client.GET('/notify/campaigns/{id}/recipients', { params: { path: { id }, query } }))
export const listUnread = (id: string, query: UnreadQuery) =>
  take(client.GET('/notify/campaigns/{id}/unread', { params: { path: { id }, query } }))
export const campaignBranches = async (id: string): Promise<BranchCount[]> =>
  (await take(client.GET('/notify/campaigns/{id}/branches', at(id)))).items ?? []
export const remind = (id: string, what: 'read' | 'answer') =>
  take(client.POST('/notify/campaigns/{id}/remind', { params: { path: { id }, header: once() }, body: { for: what, push: true } }))
export const notifySettings = () => take(client.GET('/notify/templates'))
export const saveNotifySettings = (version: number, body: NotifySettings) =>
  take(client.PUT('/notify/templates', { params: { header: match(version) }, body }))
