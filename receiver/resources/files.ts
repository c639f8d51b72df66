// Files and folders, with ranges, types and conditional requests.

import { stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { send } from '@fastify/send'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { receiverError } from '../errors/index.ts'
import type { Price } from '../http/fastify.ts'
import { sendProblem } from '../http/problem.ts'
import { pathOf, prefixOf, queryOf } from './configuration/path.ts'

export interface FilesOptions {
  /** A folder when the path ends in `*`, else a file. Absolute. */
  readonly files: string
  readonly price: Price
}

/** What a path of a request names inside a folder. */
type Found = 'file' | 'folder' | 'nothing'

/** @throws UraidenError `resource_missing` */
export async function filesRoutes(
  app: FastifyInstance,
  path: string,
  { files, price }: FilesOptions,
): Promise<void> {
  const isFolder = path.endsWith('*')
  await checkThere(path, files)
  const root = isFolder ? files : dirname(files)
  const inside = ({ url }: FastifyRequest) =>
    isFolder ? pathOf(url).slice(prefixOf(path).length) : encodeURIComponent(basename(files))
  app.route({
    url: path,
    method: 'GET',
    config: { price },
    // Before the payment: nobody pays for what is not there.
    preValidation: async (request, reply) => {
      const found = await look(root, inside(request))
      if (found === 'nothing') return notFound(reply)
      const asked = pathOf(request.url)
      if (found === 'folder' && !asked.endsWith('/'))
        return reply.redirect(`${asked}/${queryOf(request.url)}`, 301)
    },
    handler: (request, reply) => answer({ root, path: inside(request) }, request, reply),
  })
}

async function answer(
  { root, path }: { readonly root: string; readonly path: string },
  request: FastifyRequest,
  reply: FastifyReply,
) {
  const found = await send(request.raw, `/${path}`, { root, dotfiles: 'ignore' })
  const { statusCode, headers, stream } = found
  // Not modified, or a range that the file does not have: no content, no charge.
  if (statusCode !== 200 && statusCode !== 206) reply.cost(0n)
  // It was there a moment ago.
  if (found.type === 'directory' || statusCode === 404) return notFound(reply.cost(0n))
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

/** A folder counts when it has an index page. Names that begin with a dot do not exist. */
async function look(root: string, path: string): Promise<Found> {
  const names = decodeURIComponent(path).split('/')
  if (names.some((name) => name.startsWith('.'))) return 'nothing'
  const file = join(root, ...names)
  if (!path.endsWith('/') && (await kindOf(file)) === 'file') return 'file'
  return (await kindOf(join(file, 'index.html'))) === 'file' ? 'folder' : 'nothing'
}

async function kindOf(path: string): Promise<Found> {
  try {
    const facts = await stat(path)
    return facts.isFile() ? 'file' : facts.isDirectory() ? 'folder' : 'nothing'
  } catch {
    return 'nothing'
  }
}

async function checkThere(path: string, files: string): Promise<void> {
  const isFolder = path.endsWith('*')
  const wanted = isFolder ? 'folder' : 'file'
  const found = await kindOf(files)
  if (found === wanted) return
  throw receiverError({
    code: 'resource_missing',
    message: `resources.${path}.files: ${files} is ${found === 'nothing' ? 'not there' : `a ${found}`}.`,
    hint: isFolder
      ? 'Name a folder, or take the * off the end of the path.'
      : 'Name a file, or end the path with /* to sell a folder.',
  })
}
