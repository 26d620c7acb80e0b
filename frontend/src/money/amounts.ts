// Money as people type it.

/** `1,280.5` → 128050; null for what is no amount of yuan and fen above zero. */
export function fenOf(text: string): number | null {
  const found = /^\s*[¥￥]?\s*(\d{1,3}(?:[,，]\d{3})+|\d{1,10})(?:\.(\d{1,2}))?\s*$/.exec(text)
  if (!found) return null
  const whole = Number((found[1] ?? '').replace(/[,，]/g, ''))
  const fen = whole * 100 + Number((found[2] ?? '').padEnd(2, '0'))
  return fen > 0 ? fen : null
}
