// A registry on loopback that has the packed packages of the scope @uraiden, as npm's will have them once they are
// published: any package manager installs them by their names. All others come from where they always come from.
import { createHash, randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'

interface Tarball {
  readonly manifest: { readonly name: string; readonly version: string }
  readonly bytes: Buffer
}

/** The line of .npmrc that names it. It is closed when the test ends. */
export async function startRegistry(t: ExecutionContext, packed: string): Promise<string> {
  const tarballs = await tarballsIn(packed)
  // No cache of a package manager can know this address: it would give the packages of an earlier build.
  const secret = `/${randomUUID()}/`
  const server = createServer((request, response) => {
    const asked = decodeURIComponent(request.url ?? '')
    const name = asked.startsWith(secret) ? asked.slice(secret.length) : ''
    const base = `http://${request.headers.host}${secret}`
    const tarball = tarballs.get(name.replace(/\.tgz$/, ''))
    if (tarball === undefined) response.writeHead(404).end('{}')
    else if (name.endsWith('.tgz')) response.end(tarball.bytes)
    else response.setHeader('content-type', 'application/json').end(about(tarball, base))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close().closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  return `@uraiden:registry=http://127.0.0.1:${port}${secret}\n`
}

async function tarballsIn(packed: string): Promise<ReadonlyMap<string, Tarball>> {
  const entries = await readdir(packed, { withFileTypes: true })
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  const tarballs = folders.map(async (folder): Promise<[string, Tarball]> => {
    const manifest = JSON.parse(await readFile(join(packed, folder, 'package.json'), 'utf8'))
    const bytes = await readFile(join(packed, `${folder}-${manifest.version}.tgz`))
    return [manifest.name, { manifest, bytes }]
  })
  return new Map(await Promise.all(tarballs))
}

/** What a registry answers to a package's name. */
function about({ manifest, bytes }: Tarball, base: string): string {
  const { name, version } = manifest
  const dist = {
    tarball: `${base}${name}.tgz`,
    integrity: `sha512-${createHash('sha512').update(bytes).digest('base64')}`,
    shasum: createHash('sha1').update(bytes).digest('hex'),
  }
  return JSON.stringify({
    name,
    'dist-tags': { latest: version },
    versions: { [version]: { ...manifest, dist } },
  })
}
