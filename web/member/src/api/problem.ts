// The server answers every error as RFC 9457 problem+json whose detail is a
// sentence in Chinese that says what to do. It is shown as it is.

export class Problem extends Error {
  override readonly name = 'Problem'
  constructor(
    /** HTTP status; 0: no answer came. */
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly fields: readonly { name: string; message: string }[] = [],
    /** Seconds to wait before trying again; 0: not said. */
    readonly retryAfter = 0,
  ) {
    super(detail)
  }
  get offline(): boolean {
    return this.status === 0
  }
  /** The same call may well succeed later. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500
  }
  field(name: string): string {
    return this.fields.find((f) => f.name === name || f.name.endsWith('.' + name))?.message ?? ''
  }
}

export function offline(): Problem {
  return new Problem(0, 'offline', '现在连不上网络。请检查手机网络，再试一次。')
}

const PLAIN: Record<number, string> = {
  401: '登录已失效，请重新登录。',
  403: '您没有做这件事的权限。如有疑问，请联系支部书记。',
  404: '没有找到这项内容，可能已被撤下。',
  409: '情况已经变化，请刷新后再试。',
  429: '操作太频繁，请稍等片刻再试。',
}

/** Reads an error answer; anything that is not a problem gets a plain sentence. */
export function toProblem(status: number, body: unknown): Problem {
  const b = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>
  const list = Array.isArray(b.fields) ? (b.fields as unknown[]) : []
  const fields = list
    .filter((f): f is { name: unknown; message: unknown } => typeof f === 'object' && f !== null && 'name' in f && 'message' in f)
    .map((f) => ({ name: String(f.name), message: String(f.message) }))
  return new Problem(
    status,
    typeof b.code === 'string' ? b.code : String(status),
    typeof b.detail === 'string' && b.detail !== '' ? b.detail : (PLAIN[status] ?? '服务暂时不可用，请稍后再试。'),
    fields,
    typeof b.retryAfter === 'number' ? b.retryAfter : 0,
  )
}

/** A sentence for any error. */
export function sentence(e: unknown): string {
  return e instanceof Problem ? e.detail : '出了点问题，请返回后再试一次。'
}
