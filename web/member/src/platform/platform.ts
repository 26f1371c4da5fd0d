// What differs between WeChat's mini-program and a browser. The build puts
// mini.ts or h5.ts in the place of "@platform".

/** A lecture on the page. */
export interface Player {
  /** On a tap: plays, with sound. */
  sound(): void
  close(): void
}
export interface PlayerOptions {
  pass: () => Promise<{ path: string; bearer: string }>
  onState: (state: 'connecting' | 'live' | 'waiting' | 'ended' | 'refused', sentence?: string, why?: unknown) => void
  onPlay: (how: 'sound' | 'muted' | 'blocked') => void
}

export interface Platform {
  client: 'mini' | 'h5'
  /** Put before paths of the server; "" in a browser. */
  base: string
  /** Put before root-relative addresses of pictures. */
  files: string
  /** What this device is called in the list of devices. */
  device(): string
  /** Keeps the refresh token; null: the server keeps it in a cookie. */
  vault: { get(): string; set(token: string): void } | null
  /** Holds other pages of the same browser off while work runs. */
  alone<T>(work: () => Promise<T>): Promise<T>
  /** A fresh login code (mini-program), "" where signing in goes by redirect. */
  loginCode(): Promise<string>
  /** Goes to WeChat to sign in; only where loginCode gives nothing. */
  goSignIn(): void
  /** Whether goSignIn can work here: it needs WeChat's browser. */
  inWeChat: boolean
  /** Asks for leave to send messages; must be called on a tap. {} where there is no such thing. */
  askMessages(templates: string[]): Promise<Record<string, string>>
  canAskMessages: boolean
  /** Gives a downloaded text file to the person. */
  saveText(name: string, text: string): Promise<void>
  /** Opens a file of the server that may be seen with this token. */
  openFile(path: string, token: string): Promise<void>
  /** ws:// or wss:// of a path of the server. */
  socketUrl(path: string): string
  /** Milliseconds that only go forward. */
  ticks(): number
  /** Opens a player in the element of that id; gives null where the browser cannot. Absent where there is no WebRTC at all. */
  player?: (box: string, o: PlayerOptions) => Player | null
}
