// A stand-in for a wiki, with a few pages that link to each other: `stand-in.js [port]`.
import { createServer } from 'node:http'

const pages = {
  Payment_channel: 'Two parties sign, and only the last word goes to the [[Blockchain]].',
  Blockchain: 'A list of blocks that everybody agrees on. See [[Payment channel]].',
  Raspberry_Pi: 'A small computer that can pay for what it reads: [[Payment channel]].',
}

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://localhost')
  const name = pathname.startsWith('/wiki/') ? pathname.slice('/wiki/'.length) : ''
  if (pathname === '/static/style.css') {
    response.setHeader('content-type', 'text/css').end('body { font: 18px serif }\n')
  } else if (name === '') {
    response
      .writeHead(pathname === '/wiki/' ? 302 : 404, { location: '/wiki/Payment_channel' })
      .end()
  } else {
    response.statusCode = Object.hasOwn(pages, name) ? 200 : 404
    response.setHeader('content-type', 'text/html; charset=utf-8')
    response.end(page(name, Object.hasOwn(pages, name) ? pages[name] : 'There is no such page.'))
  }
})

function page(name, text) {
  const title = name.replaceAll('_', ' ').replace(/[&<>"]/g, '')
  const body = text.replace(
    /\[\[(.+?)\]\]/g,
    (_, to) => `<a href="/wiki/${to.replaceAll(' ', '_')}">${to}</a>`,
  )
  return `<!doctype html>
<link rel="stylesheet" href="/static/style.css">
<title>${title}</title>
<h1>${title}</h1>
<p>${body}</p>
`
}

server.listen(Number(process.argv[2] ?? 8082), '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${server.address().port}\n`)
})
