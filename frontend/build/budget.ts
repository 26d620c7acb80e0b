// A build plugin that fails when a first screen or a lazy chunk grows past its budget.
import { gzipSync } from 'node:zlib'
import type { Plugin, Rolldown } from 'vite'

interface Budget {
  /** Most kB, gzipped, that a first screen may load: entry, view, their imports and styles. */
  firstKb: number
  /** Most kB, gzipped, of one chunk loaded later. */
  lazyKb: number
  /** Views somebody may land on. */
  first: string[]
}

type Bundle = Record<string, Rolldown.OutputAsset | Rolldown.OutputChunk>

const kb = (bytes: number) => bytes / 1000
const zipped = (source: string | Uint8Array) => gzipSync(source).length

/** Names of the files that loading `file` loads: itself, its static imports, their styles. */
function loads(bundle: Bundle, file: string, seen = new Set<string>()): Set<string> {
  const chunk = bundle[file]
  if (seen.has(file) || chunk === undefined) return seen
  seen.add(file)
  if (chunk.type !== 'chunk') return seen
  for (const style of cssOf(chunk)) seen.add(style)
  for (const next of chunk.imports) loads(bundle, next, seen)
  return seen
}

function cssOf(chunk: Rolldown.OutputChunk): Set<string> {
  const meta = (chunk as { viteMetadata?: { importedCss?: Set<string> } }).viteMetadata
  return meta?.importedCss ?? new Set()
}

export function sizeBudget(budget: Budget): Plugin {
  return {
    name: 'size-budget',
    apply: 'build',
    enforce: 'post',
    writeBundle(_, bundle) {
      const size = (file: string) => {
        const item = bundle[file]
        return item ? zipped(item.type === 'chunk' ? item.code : item.source) : 0
      }
      const chunks = Object.values(bundle).filter((item) => item.type === 'chunk')
      const entry = chunks.find((chunk) => chunk.isEntry)
      if (!entry) return this.error('no entry chunk')
      const faults: string[] = []
      for (const view of budget.first) {
        const chunk = chunks.find((c) => c.facadeModuleId?.endsWith(view))
        const files = loads(bundle as Bundle, entry.fileName)
        if (chunk) loads(bundle as Bundle, chunk.fileName, files)
        else faults.push(`${view}: no chunk of its own`)
        const total = kb([...files].reduce((sum, file) => sum + size(file), 0))
        console.info(`first screen ${view}: ${total.toFixed(1)} kB gzipped of ${budget.firstKb}`)
        if (total > budget.firstKb)
          faults.push(`${view}: ${total.toFixed(1)} > ${budget.firstKb} kB`)
      }
      for (const chunk of chunks) {
        const own = kb(size(chunk.fileName))
        if (!chunk.isEntry && own > budget.lazyKb)
          faults.push(`${chunk.fileName}: ${own.toFixed(1)} > ${budget.lazyKb} kB`)
      }
      if (faults.length) this.error(`over budget:\n  ${faults.join('\n  ')}`)
    },
  }
}
