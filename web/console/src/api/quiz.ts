import { BASE, client, match, once, search, take } from './http'
import type { components, operations } from './schema.gen'

type S = components['schemas']
const at = (id: string) => ({ params: { path: { id } } })
const edit = (id: string, version: number) => ({ params: { path: { id }, header: match(version) } })

export type Question = S['QuizQuestion'] & Partial<Pick<S['QuizQuestionView'], 'alike' | 'editable'>>
export type QuestionContent = S['QuizContent']
export type QuestionKind = QuestionContent['kind']
export type QuestionState = Question['state']
export type QuestionRevision = S['QuizQuestionRevision']
export type Shown = S['QuizShown']
export type Answer = S['QuizAnswer']
export type Key = S['QuizKey']
export type Preview = S['QuizPreview']
export type Paper = S['QuizPaper']
export type PaperInput = S['QuizPaperInput']
export type PaperRules = S['QuizPaperRules']
export type Seat = S['QuizSeat']
export type Waiting = S['QuizWaiting']
export type Daily = S['QuizDaily']

export type QuestionQuery = NonNullable<operations['listQuestions']['parameters']['query']>
export const listQuestions = (query: QuestionQuery) => take(client.GET('/questions', { params: { query } }))
export const getQuestion = (id: string) => take(client.GET('/questions/{id}', at(id)))
export const createQuestion = (body: S['QuizQuestionInput'], key: string) =>
  take(client.POST('/questions', { params: { header: once(key) }, body }))
export const saveQuestion = (id: string, version: number, body: S['QuizQuestionInput']) =>
  take(client.PUT('/questions/{id}', { ...edit(id, version), body }))
export const deleteQuestion = (id: string, version: number) => take(client.DELETE('/questions/{id}', edit(id, version)))
export const retireQuestion = (id: string, version: number) => take(client.POST('/questions/{id}/retire', edit(id, version)))
export const restoreQuestion = (id: string, version: number) => take(client.POST('/questions/{id}/restore', edit(id, version)))
export const setQuestionStates = (ids: string[], state: 'active' | 'retired') =>
  take(client.POST('/questions/states', { body: { ids, state } }))
export const previewQuestion = (content: QuestionContent) => take(client.POST('/questions/preview', { body: { content } }))
export const listRevisions = async (id: string) => (await take(client.GET('/questions/{id}/revisions', at(id)))).items ?? []
export const listTopics = async () => (await take(client.GET('/topics'))).items ?? []

export const questionTemplateUrl = BASE + '/questions/template.xlsx'
export const questionsUrl = (format: 'xlsx' | 'gift', query: Record<string, string | number | undefined>) =>
  BASE + '/questions/export' + search({ format, ...query })

// The import takes raw bytes and has no schema in the document.
export interface ImportProblem {
  where: string
  message: string
}
export interface QuestionImportItem {
  line: number
  name: string
  kind?: QuestionKind
  stem: string
  action: 'create' | 'same' | 'wrong'
  problems?: ImportProblem[]
  notes?: string[]
}
export interface QuestionImportReport {
  items: QuestionImportItem[]
  created: number
  same: number
  wrong: number
  written: boolean
}
export interface QuestionImportAsk {
  format: string
  orgId: string
  state: 'draft' | 'active'
  topic: string
  difficulty: number
  dryRun: boolean
  skipWrong: boolean
}
/** A dry run writes nothing; a real one writes nothing either while a question is wrong and is not to be skipped. */
export const importQuestions = (file: File, ask: QuestionImportAsk) =>
  take(
    client.POST('/questions/import', {
      params: {
        query: {
          format: ask.format,
          orgId: ask.orgId,
          state: ask.state,
          topic: ask.topic || undefined,
          difficulty: String(ask.difficulty),
          dryRun: ask.dryRun ? 'true' : undefined,
          skipWrong: ask.skipWrong ? 'true' : undefined,
        },
      },
      body: '' as never,
      bodySerializer: () => file,
      headers: { 'Content-Type': 'application/octet-stream' },
    }) as unknown as Promise<{ data?: QuestionImportReport; error?: unknown; response: Response }>,
  )

export type PaperQuery = NonNullable<operations['listPapers']['parameters']['query']>
export type Flags = S['QuizFlags']
export type Sheet = S['QuizSheet']
export const listPapers = (query: PaperQuery) => take(client.GET('/papers', { params: { query } }))
export const getPaper = (id: string) => take(client.GET('/papers/{id}', at(id)))
export const createPaper = (body: PaperInput, key: string) => take(client.POST('/papers', { params: { header: once(key) }, body }))
export const savePaper = (id: string, version: number, body: PaperInput) => take(client.PUT('/papers/{id}', { ...edit(id, version), body }))
export const deletePaper = (id: string, version: number) => take(client.DELETE('/papers/{id}', edit(id, version)))
export const copyPaper = (id: string) => take(client.POST('/papers/{id}/copy', { params: { path: { id }, header: once() } }))
export const previewPaper = (id: string) => take(client.GET('/papers/{id}/preview', at(id)))
export const publishPaper = (id: string, version: number) => take(client.POST('/papers/{id}/publish', edit(id, version)))
export const closePaper = (id: string, version: number) => take(client.POST('/papers/{id}/close', edit(id, version)))
export const listSeats = (id: string, query: { state?: Seat['state']; cursor?: string; limit?: number }) =>
  take(client.GET('/papers/{id}/attempts', { params: { path: { id }, query } }))
export const paperFlags = (id: string) => take(client.GET('/papers/{id}/flags', at(id)))
export const extendAttempt = (id: string, body: S['QuizExtension']) => take(client.POST('/attempts/{id}/extend', { ...at(id), body }))

export const listWaiting = (query: { paperId?: string; names?: boolean; cursor?: string; limit?: number }) =>
  take(client.GET('/grading', { params: { query } }))
export const gradeAnswer = (w: Waiting, body: S['QuizGradeInput']) =>
  take(client.POST('/grading/{id}/{n}', { params: { path: { id: w.attemptId, n: w.n }, header: match(w.version) }, body }))

export const getDaily = (id: string) => take(client.GET('/orgs/{id}/daily-quiz', at(id)))
export const saveDaily = (id: string, version: number, body: S['QuizDailyInput']) =>
  take(client.PUT('/orgs/{id}/daily-quiz', { ...edit(id, version), body }))

export type Held = S['ResultsHeld']
export type Standing = S['ResultsStanding']
export type ResultSheet = S['ResultsSheet']
export type Analysis = S['ResultsAnalysis']
export type AnalysedItem = S['ResultsAnalysedItem']
export type ItemAnswers = S['ResultsItemAnswers']
export type Certificate = S['ResultsCertificate']
export const listHeld = (query: { cursor?: string; limit?: number }) => take(client.GET('/results/papers', { params: { query } }))
export const topicResults = (orgId?: string) => take(client.GET('/results/topics', { params: { query: { orgId } } }))
const ofPaper = (id: string, query: { orgId?: string; cursor?: string; limit?: number }) => ({ params: { path: { id }, query } })
export const paperResults = (id: string, query: { orgId?: string; cursor?: string; limit?: number }) => take(client.GET('/papers/{id}/results', ofPaper(id, query)))
export const paperTurnout = (id: string) => take(client.GET('/papers/{id}/turnout', ofPaper(id, {})))
export const paperAnalysis = (id: string) => take(client.GET('/papers/{id}/analysis', ofPaper(id, {})))
export const itemAnswers = (id: string, question: string) => take(client.GET('/papers/{id}/analysis/{question}', { params: { path: { id, question }, query: {} } }))
export type Regraded = S['QuizRegraded']
export const regradePaper = (id: string, body: S['QuizRegradeInput']) => take(client.POST('/papers/{id}/regrade', { ...at(id), body }))
export const listCertificates = (id: string, query: { cursor?: string; limit?: number }) => take(client.GET('/papers/{id}/certificates', ofPaper(id, query)))
export const revokeCertificate = (id: string, version: number, reason: string) => take(client.POST('/certificates/{id}/revoke', { ...edit(id, version), body: { reason } }))
export const resultsUrl = (id: string) => BASE + `/papers/${id}/results.xlsx`
export const certificateUrl = (id: string) => BASE + `/certificates/${id}/file.pdf`
