// The one place that turns money, instants and lengths into words. Asia/Shanghai always.
export type Lang = 'zh' | 'en'

export const ZONE = 'Asia/Shanghai'
const HOUR_MS = 3_600_000
/** Shanghai has had no other offset since 1991. */
const OFFSET_MS = 8 * HOUR_MS

/** `133000` → `¥1,330.00`; a minus stands before the sign. */
export function yuan(fen: number): string {
  const whole = Math.trunc(Math.abs(fen) / 100).toLocaleString('en-US')
  const rest = String(Math.abs(fen) % 100).padStart(2, '0')
  return `${fen < 0 ? '−' : ''}¥${whole}.${rest}`
}

/** Whole yuan without `.00`, for tight places such as a price on a card. */
export const yuanShort = (fen: number): string => yuan(fen).replace(/\.00$/, '')

type Instant = string | number | Date
const local = (at: Instant): Date => new Date(new Date(at).getTime() + OFFSET_MS)
const two = (n: number): string => String(n).padStart(2, '0')

/** `20:30` in Shanghai. */
export function clock(at: Instant): string {
  const d = local(at)
  return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`
}

/** `20:30:05` in Shanghai. */
export const clockSeconds = (at: Instant): string =>
  `${clock(at)}:${two(local(at).getUTCSeconds())}`

/** `2026-11-22` in Shanghai: a day's name in URLs. */
export const dayKey = (at: Instant): string => local(at).toISOString().slice(0, 10)

/** The instant of `20:30` on `2026-11-22`, as RFC 3339 with Shanghai's offset. */
export const instant = (day: string, time: string): string => `${day}T${time}:00+08:00`

/** The day `n` days after `day`. */
export function addDays(day: string, n: number): string {
  const at = new Date(`${day}T00:00:00Z`)
  at.setUTCDate(at.getUTCDate() + n)
  return at.toISOString().slice(0, 10)
}

/** The instant `hours` after `at`. */
export const addHours = (at: Instant, hours: number): string =>
  new Date(new Date(at).getTime() + hours * HOUR_MS).toISOString()

const WEEK = {
  zh: ['周日', '周一', '周二', '周三', '周四', '周五', '周六'],
  en: ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'],
}
const MONTH = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

/** `11月22日 周日` · `Sun 22 Nov`. */
export function day(at: Instant, lang: Lang): string {
  const d = local(at)
  const week = WEEK[lang][d.getUTCDay()]
  return lang === 'zh'
    ? `${d.getUTCMonth() + 1}月${d.getUTCDate()}日 ${week}`
    : `${week} ${d.getUTCDate()} ${MONTH[d.getUTCMonth()]}`
}

/** 今天, 明天, 昨天, otherwise the day. */
export function dayNear(at: Instant, now: Instant, lang: Lang): string {
  const apart = Math.round((Date.parse(dayKey(at)) - Date.parse(dayKey(now))) / (24 * HOUR_MS))
  const near = { zh: ['昨天', '今天', '明天'], en: ['Yesterday', 'Today', 'Tomorrow'] }[lang][
    apart + 1
  ]
  return near ?? day(at, lang)
}

export const weekday = (at: Instant, lang: Lang): string => WEEK[lang][local(at).getUTCDay()] ?? ''

/** `11-22 20:30`. */
export const stamp = (at: Instant): string => `${dayKey(at).slice(5)} ${clock(at)}`

/** `20:00–24:00`, or with `次日` when it ends on a later day. */
export function span(from: Instant, to: Instant, lang: Lang): string {
  const midnight = clock(to) === '00:00'
  const last = dayKey(new Date(new Date(to).getTime() - 1))
  const ends = midnight ? '24:00' : clock(to)
  const next = last !== dayKey(from) ? (lang === 'zh' ? '次日' : '+1 ') : ''
  return `${clock(from)}–${next}${ends}`
}

/** `3 小时 30 分` · `3 h 30 min`. */
export function length(ms: number, lang: Lang): string {
  const minutes = Math.max(0, Math.round(ms / 60_000))
  const [h, m] = [Math.floor(minutes / 60), minutes % 60]
  const words = lang === 'zh' ? [' 小时', ' 分'] : [' h', ' min']
  return [h ? `${h}${words[0]}` : '', m || !h ? `${m}${words[1]}` : ''].filter(Boolean).join(' ')
}

/** How long ago, in one unit: `8 秒`, `3 分`, `2 小时`, `5 天`. */
export function age(ms: number, lang: Lang): string {
  const s = Math.max(0, Math.floor(ms / 1000))
  const [n, zh, en] =
    s < 60
      ? [s, ' 秒', ' s']
      : s < 3600
        ? [Math.floor(s / 60), ' 分', ' min']
        : s < 86_400
          ? [Math.floor(s / 3600), ' 小时', ' h']
          : [Math.floor(s / 86_400), ' 天', ' d']
  return `${n}${lang === 'zh' ? zh : en}`
}

/** `60`, `1.5`, `0.25`: at most two decimals, none that say nothing. */
export const plain = (n: number): string => String(Math.round(n * 100) / 100)

/** `13.66 kWh`. */
export const kwh = (wh: number): string => `${(wh / 1000).toFixed(2)} kWh`
