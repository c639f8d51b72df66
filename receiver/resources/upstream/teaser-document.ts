// Makes the teaser of an upstream's page: a document of its own, with what the owner has named and
// nothing else. Selects by keeping, never by removing: what a page adds one day stays unseen.

import type { Element, ElementContent, Nodes, Root } from 'hast'
import { fromHtml } from 'hast-util-from-html'
import { type Schema, sanitize } from 'hast-util-sanitize'
import { selectAll } from 'hast-util-select'
import { toHtml } from 'hast-util-to-html'
import { receiverError } from '../../errors/index.ts'

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
  /** Where relative addresses in it start from: the path that is asked for. */
  readonly base: string
}

/** Undefined when nothing of the page may be shown. */
export function teaserDocument({ html, show, base }: TeaserRequest): string | undefined {
  const page = fromHtml(html)
  const body = only('body', page)
  if (body === undefined) return undefined
  const shown = show === undefined ? body : keep(new Set(selectAll(show.join(', '), page)), body)
  if (shown === undefined) return undefined
  const clean = sanitize(shown, teaserRules)
  return toHtml({
    type: 'root',
    children: [
      { type: 'doctype' },
      {
        type: 'element',
        tagName: 'html',
        properties: frameOf(only('html', page)?.properties),
        children: [headOf(page, base), ...elementsOf(clean)],
      },
    ],
  })
}

/**
 * So that a mistake stops the start and not the first visitor.
 * @throws UraidenError `selector_invalid`
 */
export function checkSelectors(selectors: readonly string[]): void {
  for (const selector of selectors) {
    try {
      selectAll(selector, { type: 'root', children: [] })
    } catch (cause) {
      throw receiverError({
        code: 'selector_invalid',
        message: `teaser.show: "${selector}" is no CSS selector that is known here.`,
        cause,
      })
    }
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

/** It is shown in a frame that is too small for another page: its links leave the frame. */
function headOf(page: Root, base: string): Element {
  return headElement('head', {}, [
    headElement('meta', { charSet: 'utf-8' }),
    headElement('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
    headElement('title', {}, [{ type: 'text', value: 'Preview' }]),
    headElement('base', { href: base, target: '_top' }),
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
