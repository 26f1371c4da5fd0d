interface ImportMetaEnv {
  /** Address of the server for the mini-program, https://…, without a slash at the end. */
  readonly VITE_TONGXIN_URL?: string
}
