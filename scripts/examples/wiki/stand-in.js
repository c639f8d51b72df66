// A stand-in for a wiki, with a few pages that link to each other: `stand-in.js [port]`.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

/** The first paragraph is the summary. */
const pages = {
  Payment_channel: [
    'Two parties pay each other by signatures; only the last word goes to the [[Blockchain]].',
    'One of them deposits tokens in a contract. Each payment is a signature over a sum that grows, so the newest signature is worth all payments so far.',
    'Whoever closes the channel shows the last signature. The contract pays out what it says and returns the rest of the deposit.',
  ],
  Blockchain: [
    'A list of blocks that everybody agrees on.',
    'A transaction in it costs a fee and takes a while, which is why small payments go through a [[Payment channel]].',
  ],
  Raspberry_Pi: [
    'A small computer that can pay for what it reads.',
    'It opens a [[Payment channel]] once and signs a message for each reading it buys.',
  ],
}

const style = readFileSync(new URL('style.css', import.meta.url))

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://localhost')
  const name = pathname.startsWith('/wiki/') ? pathname.slice('/wiki/'.length) : ''
  if (pathname === '/static/style.css') {
    response.setHeader('content-type', 'text/css').end(style)
  } else if (name === '') {
    response
      .writeHead(pathname === '/wiki/' ? 302 : 404, { location: '/wiki/Payment_channel' })
      .end()
  } else {
    const known = Object.hasOwn(pages, name)
    response.statusCode = known ? 200 : 404
    response.setHeader('content-type', 'text/html; charset=utf-8')
    response.end(page(name, known ? pages[name] : ['There is no such page.']))
  }
})

function page(name, [summary, ...paragraphs]) {
  const title = name.replaceAll('_', ' ').replace(/[&<>"]/g, '')
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/static/style.css">
<title>${title}</title>
<article>
<h1>${title}</h1>
<p class="summary">${linked(summary)}</p>
${paragraphs.map((text) => `<p>${linked(text)}</p>`).join('\n')}
</article>
</html>
`
}

function linked(text) {
  return text.replace(
    /\[\[(.+?)\]\]/g,
    (_, to) => `<a href="/wiki/${to.replaceAll(' ', '_')}">${to}</a>`,
  )
}

server.listen(Number(process.argv[2] ?? 8082), '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${server.address().port}\n`)
})
