// Files and folders, with ranges, types and conditional requests.

import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { send } from '@fastify/send'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { receiverError } from '../errors/index.ts'
import type { Price } from '../http/fastify.ts'
import { sendProblem } from '../http/problem.ts'
import { sandboxed } from '../http/sandbox.ts'
import { pathOf, prefixOf, queryOf } from './configuration/path.ts'
import type { FilesResource } from './configuration/schema.ts'

export interface FilesOptions extends Pick<FilesResource, 'files' | 'links' | 'sandbox' | 'first'> {
  readonly price: Price
}

/** What a path of a request names inside a folder. */
type Found = 'file' | 'folder' | 'nothing'

/** @throws UraidenError `resource_missing` */
export async function filesRoutes(
  app: FastifyInstance,
  path: string,
  { files, links, sandbox, first, price }: FilesOptions,
): Promise<void> {
  const isFolder = path.endsWith('*')
  await checkThere(path, { files, links })
  const roots = [...(first === undefined ? [] : [first]), isFolder ? files : dirname(files)]
  const inside = ({ url }: FastifyRequest) =>
    isFolder ? pathOf(url).slice(prefixOf(path).length) : encodeURIComponent(basename(files))
  app.route({
    url: path,
    method: 'GET',
    config: { price },
    // Before the payment: nobody pays for what is not there.
    preValidation: async (request, reply) => {
      const { found } = await lookInAll(roots, links, inside(request))
      if (found === 'nothing') return notFound(reply)
      const asked = pathOf(request.url)
      if (found === 'folder' && !asked.endsWith('/'))
        return reply.redirect(`${app.publicPath}${asked}/${queryOf(request.url)}`, 301)
    },
    handler: async (request, reply) => {
      const path = inside(request)
      // Somebody may have put a link there meanwhile.
      const { found, folder } = await lookInAll(roots, links, path)
      if (found === 'nothing') return notFound(reply.cost(0n))
      return answer({ ...folder, path, sandbox }, request, reply)
    },
  })
}

interface Folder extends Pick<FilesOptions, 'links'> {
  readonly root: string
}

async function answer(
  { root, path, sandbox }: Folder & Pick<FilesOptions, 'sandbox'> & { readonly path: string },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const found = await send(request.raw, `/${path}`, {
    root,
    dotfiles: 'ignore',
    cacheControl: false,
  })
  const { statusCode, headers, stream } = found
  // Not modified, or a range that the file does not have: no content, no charge.
  if (statusCode !== 200 && statusCode !== 206) reply.cost(0n)
  // It was there a moment ago.
  if (found.type === 'directory' || statusCode === 404) return notFound(reply.cost(0n))
  const policies = sandbox ? sandboxed(headers['Content-Type'], undefined) : undefined
  if (policies !== undefined) reply.header('content-security-policy', policies)
  // A page that is shown again is asked for again, which costs nothing while it is the same.
  const shared = request.admission?.kind === 'free' ? 'public' : 'private'
  reply.header('cache-control', `${shared}, max-age=0`)
  return reply.code(statusCode).headers(headers).send(stream)
}

function notFound(reply: FastifyReply): FastifyReply {
  return sendProblem(reply, {
    status: 404,
    code: 'file_unknown',
    title: 'Not found',
    detail: 'There is no such file. Nothing was charged.',
  })
}

/** In the first folder that has it. */
async function lookInAll(
  roots: readonly string[],
  links: FilesOptions['links'],
  path: string,
): Promise<{ readonly found: Found; readonly folder: Folder }> {
  let folder: Folder = { root: '', links }
  for (const root of roots) {
    folder = { root, links }
    const found = await look(folder, path)
    if (found !== 'nothing') return { found, folder }
  }
  return { found: 'nothing', folder }
}

/** A folder counts when it has an index page. Names that begin with a dot do not exist. */
async function look(folder: Folder, path: string): Promise<Found> {
  const names = decodeURIComponent(path).split('/')
  if (names.some((name) => name.startsWith('.'))) return 'nothing'
  const file = join(folder.root, ...names)
  if (!path.endsWith('/') && (await kindOf(file, folder)) === 'file') return 'file'
  return (await kindOf(join(file, 'index.html'), folder)) === 'file' ? 'folder' : 'nothing'
}

async function kindOf(path: string, folder: Folder): Promise<Found> {
  try {
    const facts = await stat(path)
    if (!(await isInside(path, folder))) return 'nothing'
    return facts.isFile() ? 'file' : facts.isDirectory() ? 'folder' : 'nothing'
  } catch {
    return 'nothing'
  }
}

/** Whoever may write in the folder need not be the one who may sell the machine's other files. */
async function isInside(path: string, { root, links }: Folder): Promise<boolean> {
  if (links === 'follow') return true
  const [realRoot, real] = await Promise.all([realpath(root), realpath(path)])
  // Also `..`, and what begins with a dot and does not exist.
  return !relative(realRoot, real)
    .split('/')
    .some((name) => name.startsWith('.'))
}

async function checkThere(
  path: string,
  { files, links }: Pick<FilesOptions, 'files' | 'links'>,
): Promise<void> {
  const isFolder = path.endsWith('*')
  const wanted = isFolder ? 'folder' : 'file'
  const anywhere: Folder = { root: '/', links: 'follow' }
  const found = await kindOf(files, anywhere)
  if (!isFolder && found === 'file' && !(await isInside(files, { root: dirname(files), links }))) {
    throw receiverError({
      code: 'resource_missing',
      message: `resources.${path}.files: ${files} is a link out of its folder.`,
      hint: 'Name the file itself, or add links: follow.',
    })
  }
  if (found === wanted) return
  throw receiverError({
    code: 'resource_missing',
    message: `resources.${path}.files: ${files} is ${found === 'nothing' ? 'not there' : `a ${found}`}.`,
    hint: isFolder
      ? 'Name a folder, or take the * off the end of the path.'
      : 'Name a file, or end the path with /* to sell a folder.',
  })
}
