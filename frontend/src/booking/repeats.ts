// The rule behind the choices on the screen (RFC 5545), and the way back.
export const REPEATS = ['none', 'daily', 'weekdays', 'weekly', 'fortnightly', 'monthly'] as const
export type Repeat = (typeof REPEATS)[number]
export const MOST_TIMES = 60

const RULES: Record<Exclude<Repeat, 'none'>, string> = {
  daily: 'FREQ=DAILY',
  weekdays: 'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR',
  weekly: 'FREQ=WEEKLY',
  fortnightly: 'FREQ=WEEKLY;INTERVAL=2',
  monthly: 'FREQ=MONTHLY',
}

/** RFC 5545's text of a choice; none when it does not repeat. */
export function ruleOf(repeat: Repeat, times: number): string | null {
  return repeat === 'none' ? null : `${RULES[repeat]};COUNT=${times}`
}

/** The choice and the count behind a rule that this screen could have made. */
export function choiceOf(rrule: string): { repeat: Exclude<Repeat, 'none'>; times: number } | null {
  const times = Number(/;COUNT=(\d+)$/.exec(rrule)?.[1])
  const start = rrule.replace(/;COUNT=\d+$/, '')
  const found = Object.entries(RULES).find(([, rule]) => rule === start)
  return found && times ? { repeat: found[0] as Exclude<Repeat, 'none'>, times } : null
}
