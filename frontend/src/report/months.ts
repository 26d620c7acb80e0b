// Months by name ("2026-11"), as the report's period has them.

/** The first day of the month after `month`. */
export function nextMonth(month: string): string {
  const [year = 0, number = 0] = month.split('-').map(Number)
  return new Date(Date.UTC(year, number, 1)).toISOString().slice(0, 10)
}

/** `n` months before `month`. */
export function monthsBefore(month: string, n: number): string {
  const [year = 0, number = 0] = month.split('-').map(Number)
  return new Date(Date.UTC(year, number - 1 - n, 1)).toISOString().slice(0, 7)
}

/** Half-open days of whole months, in order whichever was picked first. */
export function daysOf(first: string, last: string): { from: string; to: string } {
  const [early, late] = first <= last ? [first, last] : [last, first]
  return { from: `${early}-01`, to: nextMonth(late) }
}
