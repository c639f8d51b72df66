// What a page loads: kept in memory, and named by its content, so that browsers may keep it for ever.
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'

export interface WebAsset {
  readonly name: string
  readonly type: string
  readonly body: Uint8Array
  /** Made when somebody asks for it: most starts serve no page. */
  readonly gzip: () => Uint8Array
}

/** A page's style and script, by the names under which they are served. */
export interface PageAssets {
  readonly style: string
  readonly script: string
}

/** What scripts/lib/web.ts has made of a page; undefined for what it has not made. */
export type ReadAsset = (file: string) => Promise<Uint8Array | undefined>

export interface LoadedPages<Page extends string> {
  readonly pages: { readonly [Name in Page]: PageAssets }
  /** By their names. */
  readonly files: ReadonlyMap<string, WebAsset>
}

const types = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
} as const

/** Undefined when one of them was not built: `npm run web`. */
export async function loadPages<Page extends string>(
  names: readonly Page[],
  read: ReadAsset,
): Promise<LoadedPages<Page> | undefined> {
  const files = new Map<string, WebAsset>()
  const pages: [Page, PageAssets][] = []
  for (const page of names) {
    const [script, style] = [await load(page, 'js', read), await load(page, 'css', read)]
    if (script === undefined || style === undefined) return undefined
    for (const asset of [script, style]) files.set(asset.name, asset)
    pages.push([page, { script: script.name, style: style.name }])
  }
  return { pages: Object.fromEntries(pages) as { [Name in Page]: PageAssets }, files }
}

async function load(
  page: string,
  kind: keyof typeof types,
  read: ReadAsset,
): Promise<WebAsset | undefined> {
  const body = await read(`${page}.${kind}`)
  if (body === undefined) return undefined
  const hash = createHash('sha256').update(body).digest('base64url').slice(0, 12)
  const name = `${page}.${hash}.${kind}`
  let gzip: Uint8Array | undefined
  return {
    name,
    type: types[kind],
    body,
    gzip: () => {
      gzip ??= gzipSync(body, { level: 9 })
      return gzip
    },
  }
}

/** For an asset; see there about its name. */
export const assetHeaders = {
  'cache-control': 'public, max-age=31536000, immutable',
  'x-content-type-options': 'nosniff',
  vary: 'accept-encoding',
} as const

/** What of an asset goes to who accepts these codings. */
export function assetBody(
  { body, gzip }: WebAsset,
  acceptEncoding: string | undefined,
): { readonly body: Uint8Array; readonly coding: 'gzip' | undefined } {
  const zips = /\bgzip\b/.test(acceptEncoding ?? '')
  return zips ? { body: gzip(), coding: 'gzip' } : { body, coding: undefined }
}
