// What browsers load: bundled by scripts/lib/web.ts, kept in memory, named by its content.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

export interface WebAsset {
  readonly name: string
  readonly type: string
  readonly body: Buffer
  readonly gzip: Buffer
}

/** A page's style and script, by the names under which they are served. */
interface PageAssets {
  readonly style: string
  readonly script: string
}

export interface WebAssets {
  readonly paywall: PageAssets
  readonly dashboard: PageAssets
  readonly files: ReadonlyMap<string, WebAsset>
}

/** Where `npm run web` puts them; beside this module, in the checkout as in the package. */
const folder = fileURLToPath(new URL('./assets/', import.meta.url))

/** Undefined when they were not built: `npm run web`. */
export async function loadWebAssets(from = folder): Promise<WebAssets | undefined> {
  // The last one that is written.
  if (!existsSync(`${from}dashboard.css`)) return undefined
  const files = new Map<string, WebAsset>()
  const add = async (file: string, type: string): Promise<string> => {
    const body = await readFile(from + file)
    const hash = createHash('sha256').update(body).digest('base64url').slice(0, 12)
    const name = file.replace('.', `.${hash}.`)
    files.set(name, { name, type, body, gzip: gzipSync(body, { level: 9 }) })
    return name
  }
  const page = async (name: string): Promise<PageAssets> => ({
    script: await add(`${name}.js`, 'text/javascript; charset=utf-8'),
    style: await add(`${name}.css`, 'text/css; charset=utf-8'),
  })
  return {
    paywall: await page('paywall'),
    dashboard: await page('dashboard'),
    files,
  }
}
