// The server answers every error as RFC 9457 problem+json whose detail is a
// sentence in Chinese that says what to do. It is shown as it is.
export interface FieldError {
  name: string
  message: string
}

export class Problem extends Error {
  override readonly name = 'Problem'
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly fields: readonly FieldError[] = [],
    readonly details: unknown = undefined,
    readonly requestId: string = '',
    readonly retryAfter: number = 0,
  ) {
    super(message)
  }

  /** The message for one form field, matched by the last part of its path. */
  field(name: string): string {
    return this.fields.find((f) => f.name === name || f.name.endsWith('.' + name))?.message ?? ''
  }

  /** No answer came: the write may be tried again. */
  get offline(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504
  }
}

const FALLBACK: Record<number, string> = {
  401: '登录已过期，请重新登录。',
  403: '您没有这项权限，请联系管理员。',
  404: '没有找到，可能已被删除。',
  412: '内容已被他人修改，请核对后再保存。',
  413: '文件太大了，请压缩后再上传。',
  429: '操作太频繁，请稍等片刻再试。',
}

export function offline(): Problem {
  return new Problem(0, 'offline', '连接不上服务器，请检查网络后重试。')
}

/** Reads an error answer; anything that is not a problem gets a plain sentence. */
export function toProblem(status: number, body: unknown): Problem {
  const b = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>
  const text = [b.detail, b.title].find((v): v is string => typeof v === 'string' && v !== '')
  const list = Array.isArray(b.fields) ? b.fields : []
  const fields = list
    .filter((f): f is FieldError => typeof f === 'object' && f !== null && 'name' in f && 'message' in f)
    .map((f) => ({ name: String(f.name), message: String(f.message) }))
  return new Problem(
    status,
    typeof b.code === 'string' ? b.code : String(status),
    text ?? FALLBACK[status] ?? '服务器暂时无法处理，请稍后重试。',
    fields,
    b.details,
    typeof b.requestId === 'string' ? b.requestId : '',
    typeof b.retryAfter === 'number' ? b.retryAfter : 0,
  )
}

/** The sentence for whatever was thrown. */
export function sentence(e: unknown): string {
  if (e instanceof Problem) return e.message
  return e instanceof Error ? `页面出错：${e.message}` : '页面出错，请刷新后重试。'
}
