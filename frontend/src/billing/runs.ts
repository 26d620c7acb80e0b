// How far an invoice run is, and what its table sums up to.
import type { Entry, Run } from './queries'

export type Stage = 'preview' | 'approve' | 'issue' | 'done'
export const STAGES: Stage[] = ['preview', 'approve', 'issue', 'done']

/** The step that is next for a run. */
export function stage(status: string): Stage {
  if (status === 'preview') return 'approve'
  if (status === 'approved' || status === 'issuing') return 'issue'
  return status === 'issued' ? 'done' : 'preview'
}

/** What travels on `runs.<id>` under the key `progress`. */
export interface Progress {
  status: string
  done: number
  total: number
}

/** The run with the newest word from the live topic laid over it; it never goes back. */
export function current<R extends Run>(run: R, word: Progress | undefined): R {
  if (!word) return run
  return {
    ...run,
    status: word.status,
    entries_done: Math.max(run.entries_done, word.done),
    entries_total: word.total,
  }
}

export interface Sums {
  net: number
  vat: number
  gross: number
  lines: number
}

export function sums(entries: readonly Entry[]): Sums {
  const all = { net: 0, vat: 0, gross: 0, lines: 0 }
  for (const entry of entries) {
    all.net += entry.net_fen
    all.vat += entry.vat_fen
    all.gross += entry.gross_fen
    all.lines += entry.line_count
  }
  return all
}
