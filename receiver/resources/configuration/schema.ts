// What a person writes under `resources`: one entry a path, checked here, served by the other files.
import { resolve } from 'node:path'
import { z } from 'zod'
import { amountText, filePath, seconds } from '../../../platform/config/index.ts'
import { defined, isUraidenError } from '../../../protocol/index.ts'
import type { SoldGoods } from '../../paywall/page.ts'
import { patternOf } from './prices.ts'
import { choosePath, reservedFor } from './reserved.ts'
import { splitCommand } from './split.ts'
import { type TeaserConfig, teaserSchema } from './teaser.ts'

/** As a person writes it; the token's decimals are not known before the chain is. */
export type PriceText = string | { readonly [pattern: string]: string }

interface Common {
  /** What is sold here, as buyers read it. */
  readonly sold?: SoldGoods
  /** Undefined when the module says it. */
  readonly price: PriceText | undefined
  /** Requests that cost nothing, before all other prices. */
  readonly free: readonly string[]
}

export interface FilesResource extends Common {
  readonly kind: 'files'
  /** A folder when the path ends in `*`, else a file. */
  readonly files: string
  /** Whether symbolic links may lead out of the folder. */
  readonly links: LinksRule
  /** Documents of it have an origin of nobody's. */
  readonly sandbox: boolean
  /** Another folder that is looked into before it; of the operator's own page. */
  readonly first?: string
}

export interface UpstreamResource extends Common {
  readonly kind: 'upstream'
  readonly upstream: string
  /** Milliseconds until the answer begins, and between two parts of it. */
  readonly timeout: number
  /** Undefined when browsers see nothing of it before they pay. */
  readonly teaser: TeaserConfig | undefined
  /** Documents of it have an origin of nobody's. */
  readonly sandbox: boolean
  /** What it says about caches counts for those between receiver and buyers, too. */
  readonly sharedCaches: boolean
  /** Whether redirections inside it are followed for the client. */
  readonly redirects: RedirectsRule
}

export interface CommandResource extends Common {
  readonly kind: 'command'
  /** The program and its arguments. */
  readonly command: readonly string[]
  /** Where it runs: that of the configuration file. */
  readonly folder: string
  /** Milliseconds for one run. */
  readonly timeout: number
  /** Milliseconds for which an output is sold again. */
  readonly cache: number
  /** Bytes. */
  readonly mostOutput: number
  readonly type: string
}

export interface ModuleResource extends Common {
  readonly kind: 'module'
  readonly module: string
  readonly methods: readonly Method[]
}

export type ResourceConfig = FilesResource | UpstreamResource | CommandResource | ModuleResource

const linksRules = ['inside', 'follow'] as const
export type LinksRule = (typeof linksRules)[number]

const redirectsRules = ['free', 'follow'] as const
export type RedirectsRule = (typeof redirectsRules)[number]

export const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
export type Method = (typeof methods)[number]

const pattern = z.string().superRefine((text, context) => {
  if (patternOf(text) !== undefined) return
  context.addIssue({
    code: 'custom',
    message: `"${text}" is no pattern of requests.`,
    params: { hint: 'Write it like GET, /api/health, GET /api/health, /api/public/* or *.' },
  })
})

/** Of one line, and no character that turns the order of others around. */
const oneLine = (most: number) =>
  z.string().regex(new RegExp(`^[^\\p{Cc}\\p{Cf}]{1,${most}}$`, 'u'), {
    error: `this should be text of at most ${most} characters, on one line.`,
  })

const entry = z.strictObject({
  title: oneLine(80)
    .optional()
    .describe('what is sold, as buyers read it: Temperature in the garden'),
  description: oneLine(400).optional().describe('more about it, a sentence or two'),
  price: z
    .union([amountText, z.record(pattern, amountText)])
    .optional()
    .describe(
      '0.005 TKN, 5 units; or a table by GET, /path/*, GET /path, with * for the rest; 0 is free',
    ),
  free: z.array(pattern).optional().describe('requests that cost nothing: [GET /api/health]'),
  files: filePath.optional().describe('a folder (the path ends in *) or a file'),
  links: z
    .enum(linksRules)
    .optional()
    .describe('of files: follow, wherever symbolic links lead; inside the folder only (inside)'),
  sandbox: z
    .boolean()
    .optional()
    .describe('pages have an origin of nobody’s: on for files, off for an upstream'),
  redirects: z
    .enum(redirectsRules)
    .optional()
    .describe('of an upstream: follow, those inside it for the client; hand them on (free)'),
  sharedCaches: z
    .boolean()
    .optional()
    .describe('of an upstream: what it says about caches counts for those of others, too (false)'),
  upstream: z
    .url({ protocol: /^https?$/, error: 'this is not an http:// or https:// URL.' })
    .optional()
    .describe('an HTTP server; a path in it takes the place of the resource’s own'),
  teaser: teaserSchema
    .optional()
    .describe('what browsers see of an upstream’s page before they pay'),
  command: z
    .union([z.string().min(1), z.array(z.string()).min(1)])
    .optional()
    .describe('a program whose output is sold; started without a shell'),
  module: filePath.optional().describe('a JavaScript file that exports `handler`'),
  timeout: seconds(0.1, 3600).optional().describe('seconds, for upstream (30) and command (10)'),
  cache: seconds(0, 86_400)
    .optional()
    .describe('seconds for which a command’s output is sold again'),
  mostOutput: z.int().min(1).max(100_000_000).optional().describe('bytes of a command (1 MB)'),
  type: z
    .string()
    .regex(/^[\w.+-]+\/[\w.+-]+/)
    .optional()
    .describe('Content-Type of a command'),
  methods: z.array(z.enum(methods)).min(1).optional().describe('of a module (GET)'),
})

type Entry = z.output<typeof entry>
type Kind = ResourceConfig['kind']

/** What of an entry belongs to which kind alone. */
const settingsOf: { readonly [kind in Kind]: readonly (keyof Entry)[] } = {
  files: ['links', 'sandbox'],
  upstream: ['timeout', 'teaser', 'sandbox', 'sharedCaches', 'redirects'],
  command: ['timeout', 'cache', 'mostOutput', 'type'],
  module: ['methods'],
}
const kinds = Object.keys(settingsOf) as readonly Kind[]

const resource = entry.transform((value, context): ResourceConfig => {
  const problem = (message: string, hint: string, path: readonly string[] = []) => {
    context.addIssue({ code: 'custom', path: [...path], message, params: { hint } })
    return z.NEVER
  }
  const [kind, ...others] = kinds.filter((name) => value[name] !== undefined)
  if (kind === undefined) {
    return problem('nothing says what is sold at this "path".', `Add one of ${kinds.join(', ')}.`)
  }
  if (others.length > 0) {
    return problem(
      `it has "${[kind, ...others].join('" and "')}".`,
      'Leave one of them, on a path each.',
    )
  }
  const known = [kind, 'title', 'description', 'price', 'free', ...settingsOf[kind]]
  const foreign = Object.keys(value).find((name) => !known.includes(name))
  if (foreign !== undefined) {
    return problem(`"${foreign}" says nothing about ${kind}.`, `Leave ${foreign} out.`, [foreign])
  }
  if (value.price === undefined && kind !== 'module') {
    return problem('the price is missing.', 'Add price: 0.005 TKN, or 0 when it is free.')
  }
  if (typeof value.price === 'object' && value.price['*'] === undefined) {
    return problem('nothing says what all other requests cost.', "Add '*': an amount, or 0.", [
      'price',
    ])
  }
  try {
    return resourceOf(kind, value)
  } catch (error) {
    if (!isUraidenError(error)) throw error
    return problem(error.message, error.hint, [kind])
  }
})

function resourceOf(kind: Kind, value: Entry): ResourceConfig {
  const { price, free = [], files = '', upstream = '', command = '', module = '' } = value
  const sold = defined({ title: value.title, description: value.description })
  const common = { sold, price, free }
  const milliseconds = (given: number | undefined, usual: number) => (given ?? usual) * 1000
  switch (kind) {
    case 'files':
      return {
        ...{ kind, ...common, files },
        links: value.links ?? 'inside',
        sandbox: value.sandbox ?? true,
      }
    case 'upstream':
      return {
        kind,
        ...common,
        upstream,
        timeout: milliseconds(value.timeout, 30),
        teaser: value.teaser,
        sandbox: value.sandbox ?? false,
        sharedCaches: value.sharedCaches ?? false,
        redirects: value.redirects ?? 'free',
      }
    case 'command':
      return {
        kind,
        ...common,
        command: typeof command === 'string' ? splitCommand(command) : command,
        folder: '.',
        timeout: milliseconds(value.timeout, 10),
        cache: milliseconds(value.cache, 0),
        mostOutput: value.mostOutput ?? 1_000_000,
        type: value.type ?? 'text/plain; charset=utf-8',
      }
    case 'module':
      return { kind, ...common, module, methods: value.methods ?? ['GET'] }
  }
}

const path = z.string().regex(/^\/[^\s?#]*$/, {
  error: 'a path begins with / and has no spaces: /sensors/temperature, /archive/*, /echo/:text.',
})

export const resourcesSchema = z.record(path, resource).superRefine((resources, context) => {
  for (const [at, { kind }] of Object.entries(resources)) {
    const own = reservedFor(at)
    if (own !== undefined) {
      const message = `${own} is at "${at}", so nothing can be sold there.`
      context.addIssue({ code: 'custom', path: [at], message, params: { hint: choosePath } })
      continue
    }
    const star = at.indexOf('*')
    const wild = kind === 'command' ? star >= 0 : star >= 0 && !at.endsWith('/*')
    const named = kind !== 'module' && at.includes('/:')
    if (!wild && !named && star === at.lastIndexOf('*')) continue
    const hint =
      kind === 'command'
        ? 'Give each command a path of its own, such as /sensors/temperature.'
        : 'Put * at the end only, such as /archive/*; parts with a name (/:name) are for modules.'
    context.addIssue({
      code: 'custom',
      path: [at],
      message: `${kind} cannot be served at "${at}".`,
      params: { hint },
    })
  }
})

/** With the paths in it made absolute. */
export function resourceFrom(folder: string, resource: ResourceConfig): ResourceConfig {
  switch (resource.kind) {
    case 'files':
      return { ...resource, files: resolve(folder, resource.files) }
    case 'module':
      return { ...resource, module: resolve(folder, resource.module) }
    case 'command':
      return { ...resource, folder }
    case 'upstream':
      return resource
  }
}
