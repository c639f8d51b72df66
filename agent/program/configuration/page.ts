// The part `page` of agent.yaml.
import { z } from 'zod'
import { parsed } from '../../../platform/config/index.ts'
import { shorten, UraidenError } from '../../../protocol/index.ts'

/** On 127.0.0.1. */
export interface PagePlace {
  /** 0 takes a free one. */
  readonly port: number
}

/** @throws UraidenError `page_not_local` */
function parsePlace(text: string): PagePlace {
  const [, digits] = /^(?:(?:127\.0\.0\.1|localhost):)?([0-9]{1,5})$/.exec(text.trim()) ?? []
  const port = Number(digits)
  if (digits !== undefined && port <= 65_535) return { port }
  throw new UraidenError({
    code: 'page_not_local',
    message: `"${shorten(text)}" is not a port on 127.0.0.1.`,
    hint: 'The page is for this machine alone: write 127.0.0.1:8403. To see it from another machine: ssh -L 8403:127.0.0.1:8403 HOST.',
  })
}

export const pageSchema = z
  .strictObject({
    listen: parsed(parsePlace)
      .default({ port: 8403 })
      .describe('a port on 127.0.0.1, and no other address'),
    token: z
      .string()
      .min(1)
      .optional()
      .describe(
        'a file, mode 600; who knows its first line may pause, run jobs and close channels',
      ),
  })
  .describe('a page in the browser that shows what the agent does')
