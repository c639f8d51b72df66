// Makes the teaser of an upstream's page: a document of its own, with what the owner has named and
// nothing else. Selects by keeping, never by removing: what a page adds one day stays unseen.

import { randomUUID } from 'node:crypto'
import type { Element, ElementContent, Nodes, Root } from 'hast'
import { fromParse5 } from 'hast-util-from-parse5'
import { type Schema, sanitize } from 'hast-util-sanitize'
import { selectAll } from 'hast-util-select'
import { toHtml } from 'hast-util-to-html'
import { type DefaultTreeAdapterMap, defaultTreeAdapter, parse, type TreeAdapter } from 'parse5'

const blocks =
  'html body main article section header footer nav aside div address hgroup h1 h2 h3 h4 h5 h6 p hr pre blockquote ol ul li dl dt dd figure figcaption details summary'
const texts =
  'a abbr b bdi bdo br cite code data del dfn em i img ins kbd mark q ruby rb rp rt rtc s samp small span strong sub sup time u var wbr'
const tables = 'table caption colgroup col thead tbody tfoot tr th td'

/** Of these not even the text is left: it was not meant to be read, or not yet. */
const removed =
  'script style template noscript head title iframe object embed applet audio video canvas svg math form input textarea select button option datalist dialog map portal frameset noframes noembed xmp plaintext'

/** All that an element keeps that is there only because something inside it is shown. */
const frameAttributes = ['className', 'id', 'lang', 'dir'] as const

/**
 * What is left of a page: no script, no form, nothing that loads or frames anything but pictures.
 * What is not named here goes.
 */
const teaserRules: Schema = {
  tagNames: [blocks, texts, tables].flatMap((names) => names.split(' ')),
  strip: removed.split(' '),
  attributes: {
    a: ['href'],
    img: ['src', 'width', 'height', 'alt'],
    ol: ['start', 'reversed'],
    time: ['dateTime'],
    td: ['colSpan', 'rowSpan'],
    th: ['colSpan', 'rowSpan', 'scope'],
    '*': [...frameAttributes, 'title', 'hidden'],
  },
  // Relative addresses are always good.
  protocols: { href: ['http', 'https', 'mailto'], src: ['http', 'https', 'data'] },
  allowComments: false,
  allowDoctypes: false,
  clobber: [],
}

export interface TeaserRequest {
  /** The upstream's page. */
  readonly html: string
  /** CSS selectors; undefined keeps the whole body. */
  readonly show: readonly string[] | undefined
}

/** Between the two is where relative addresses start from: the one page is shown at many paths. */
export interface TeaserParts {
  readonly beforeBase: string
  readonly afterBase: string
}

/**
 * Undefined when nothing of the page may be shown.
 * @throws Error for a page of more than `mostNodes`
 */
export function teaserDocument({ html, show }: TeaserRequest): TeaserParts | undefined {
  const page = pageOf(html)
  const body = only('body', page)
  if (body === undefined) return undefined
  const shown = show === undefined ? body : keep(new Set(selectAll(show.join(', '), page)), body)
  if (shown === undefined) return undefined
  const clean = sanitize(shown, teaserRules)
  // Nobody else knows it, so no page has it.
  const seam = randomUUID()
  const [beforeBase = '', afterBase = ''] = toHtml({
    type: 'root',
    children: [
      { type: 'doctype' },
      {
        type: 'element',
        tagName: 'html',
        properties: frameOf(only('html', page)?.properties),
        children: [headOf(page, seam), ...elementsOf(clean)],
      },
    ],
  }).split(`<!--${seam}-->`)
  return { beforeBase, afterBase }
}

/** The first that cannot be read: a mistake stops the start and not the first visitor. */
export function unknownSelector(selectors: readonly string[]): string | undefined {
  return selectors.find((selector) => {
    try {
      selectAll(selector, { type: 'root', children: [] })
      return false
    } catch {
      return true
    }
  })
}

/** Elements with their attributes, texts, comments: a page of 256 kB has some thousands. */
const mostNodes = 20_000

/** As a browser without scripts reads it. @throws Error for a page of more than `mostNodes` */
function pageOf(html: string): Root {
  const tree = fromParse5(parse(html, { scriptingEnabled: false, treeAdapter: countingAdapter() }))
  return tree.type === 'root' ? tree : { type: 'root', children: [] }
}

/** Repeated elements are counted, too: a page of 9 kB may make a million of them. */
function countingAdapter(): TreeAdapter<DefaultTreeAdapterMap> {
  const { createElement, createCommentNode, insertText, insertTextBefore } = defaultTreeAdapter
  let nodes = 0
  const count = (more: number): void => {
    nodes += more
    if (nodes > mostNodes) throw new Error(`it has more than ${mostNodes} nodes`)
  }
  return {
    ...defaultTreeAdapter,
    createElement: (name, space, attributes) => {
      count(1 + attributes.length)
      return createElement(name, space, attributes)
    },
    createCommentNode: (text) => {
      count(1)
      return createCommentNode(text)
    },
    insertText: (parent, text) => {
      count(1)
      insertText(parent, text)
    },
    insertTextBefore: (parent, text, next) => {
      count(1)
      insertTextBefore(parent, text, next)
    },
  }
}

/** Chosen elements whole, what they are in without anything else; undefined when none is in it. */
function keep(chosen: ReadonlySet<Element>, element: Element): Element | undefined {
  if (chosen.has(element)) return element
  const children = element.children.flatMap((child): ElementContent[] => {
    const kept = child.type === 'element' ? keep(chosen, child) : undefined
    return kept === undefined ? [] : [kept]
  })
  if (children.length === 0) return undefined
  return { ...element, properties: frameOf(element.properties), children }
}

function frameOf(properties: Element['properties'] = {}): Element['properties'] {
  const kept = frameAttributes.map((name) => [name, properties[name]] as const)
  return Object.fromEntries(kept.filter(([, value]) => value !== undefined))
}

function headOf(page: Root, seam: string): Element {
  return headElement('head', {}, [
    headElement('meta', { charSet: 'utf-8' }),
    headElement('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
    headElement('title', {}, [{ type: 'text', value: 'Preview' }]),
    { type: 'comment', value: seam },
    ...selectAll('link[rel~="stylesheet"][href]', page).map(({ properties: { href, media } }) =>
      headElement('link', { rel: ['stylesheet'], href, media }),
    ),
  ])
}

function headElement(
  tagName: string,
  properties: Element['properties'],
  children: ElementContent[] = [],
): Element {
  return { type: 'element', tagName, properties, children }
}

function only(selector: string, page: Root): Element | undefined {
  return selectAll(selector, page)[0]
}

function elementsOf(clean: Nodes): ElementContent[] {
  const children = clean.type === 'root' ? clean.children : [clean]
  return children.filter((child) => child.type === 'element')
}
