// Who may ask the page for what: decisions on plain data.

import { createHash, timingSafeEqual } from 'node:crypto'
import { type BrowserHints, isSameOrigin } from '../../../platform/web/origin.ts'
import type { UraidenError } from '../../../protocol/index.ts'
import { agentError } from '../../errors/index.ts'

/** What of a request decides. */
export interface Asked extends BrowserHints {
  readonly contentType: string | undefined
  /** The header Authorization. */
  readonly authorization: string | undefined
}

/**
 * A name of somebody else's that leads to 127.0.0.1 makes his page one of the same origin (DNS
 * rebinding); the header Host still says his name. The port is another one behind `ssh -L`.
 * @throws UraidenError `page_wrong_host`
 */
export function checkHost(host: string | undefined): void {
  if (/^(127\.0\.0\.1|localhost)(:[0-9]{1,5})?$/i.test(host ?? '')) return
  throw agentError({
    code: 'page_wrong_host',
    message: 'This page is asked for under a name that is not its own.',
  })
}

/**
 * Data and actions are for our own page alone.
 * @throws UraidenError `page_other_origin`
 */
export function checkOrigin(asked: Asked): void {
  if (isSameOrigin(asked)) return
  throw agentError({
    code: 'page_other_origin',
    message: 'A page of another site asked for this.',
  })
}

/**
 * Looking at what the agent does and has: every user of this machine can connect, and none but the owner
 * knows the key, which stands in the page's address after the # and so is sent by hand only.
 * @throws UraidenError `page_other_origin`, `page_key_missing`, `page_key_wrong`
 */
export function checkLook(asked: Asked, key: string): void {
  checkOrigin(asked)
  const given = bearer(asked)
  if (given === undefined) throw keyMissing()
  if (!isEqual(given, key)) throw keyWrong()
}

/**
 * An action. No cookie lets anybody act: cookies of 127.0.0.1 go to every port of it, and so to every
 * program that listens there. The token is added by hand to each request, which no form and no page of
 * another site can do; JSON cannot be sent by a form either.
 * @throws UraidenError `page_other_origin`, `page_not_json`, `page_read_only`, `page_token_missing`,
 * `page_token_wrong`
 */
export function checkAction(asked: Asked, token: string | undefined): void {
  checkOrigin(asked)
  if (!/^application\/json(;|$)/i.test(asked.contentType ?? '')) throw notJson()
  if (token === undefined) throw readOnly()
  const given = bearer(asked)
  if (given === undefined) throw tokenMissing()
  if (!isEqual(given, token)) throw tokenWrong()
}

function bearer({ authorization = '' }: Asked): string | undefined {
  return /^Bearer (.+)$/i.exec(authorization)?.[1]
}

/** Takes the same time wherever they differ, and however long they are. */
function isEqual(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}

function keyMissing(): UraidenError {
  return agentError({
    code: 'page_key_missing',
    message: 'What the agent does is shown to its owner only.',
  })
}

function keyWrong(): UraidenError {
  return agentError({
    code: 'page_key_wrong',
    message: 'This is not the key of this page.',
  })
}

function notJson(): UraidenError {
  return agentError({
    code: 'page_not_json',
    message: 'An action is asked for with JSON.',
  })
}

function readOnly(): UraidenError {
  return agentError({
    code: 'page_read_only',
    message: 'This page only shows things: no token is configured for it.',
  })
}

function tokenMissing(): UraidenError {
  return agentError({
    code: 'page_token_missing',
    message: 'Actions need the token.',
  })
}

function tokenWrong(): UraidenError {
  return agentError({
    code: 'page_token_wrong',
    message: 'This is not the token of this page.',
  })
}
