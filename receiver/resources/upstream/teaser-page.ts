// Reads a page of the upstream as anybody would see it: nothing of the visitor goes along.
import { request as ask, type Dispatcher } from 'undici'

/** Bytes; of a larger page there is no teaser. */
const mostHtml = 1 << 20

/**
 * Undefined when it is no HTML page that can be had: another status, another type, too large.
 * @throws what undici throws when the upstream cannot be reached or is too slow
 */
export async function readPage(url: URL, dispatcher: Dispatcher): Promise<string | undefined> {
  const { statusCode, headers, body } = await ask(url, {
    dispatcher,
    headers: { accept: 'text/html' },
  })
  const type = `${headers['content-type'] ?? ''}`
  const coded = headers['content-encoding'] !== undefined
  if (statusCode !== 200 || coded || !/^(text\/html|application\/xhtml\+xml)\b/i.test(type)) {
    await body.dump()
    return undefined
  }
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    // Leaving the loop ends the body.
    if (size > mostHtml) return undefined
    chunks.push(chunk)
  }
  return decode(Buffer.concat(chunks), /charset="?([\w-]+)/i.exec(type)?.[1])
}

function decode(bytes: Uint8Array, charset = 'utf-8'): string {
  try {
    return new TextDecoder(charset).decode(bytes)
  } catch {
    return new TextDecoder().decode(bytes)
  }
}
