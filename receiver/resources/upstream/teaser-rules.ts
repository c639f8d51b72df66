// What is left of an upstream's page in a teaser: no script, no form, nothing that loads or frames
// anything but pictures. What is not named here goes (hast-util-sanitize).
import type { Schema } from 'hast-util-sanitize'

const blocks =
  'html body main article section header footer nav aside div address hgroup h1 h2 h3 h4 h5 h6 p hr pre blockquote ol ul li dl dt dd figure figcaption details summary'
const texts =
  'a abbr b bdi bdo br cite code data del dfn em i img ins kbd mark q ruby rb rp rt rtc s samp small span strong sub sup time u var wbr'
const tables = 'table caption colgroup col thead tbody tfoot tr th td'

/** Of these not even the text is left: it was not meant to be read, or not yet. */
const removed =
  'script style template noscript head title iframe object embed applet audio video canvas svg math form input textarea select button option datalist dialog map portal frameset noframes noembed xmp plaintext'

/** All that an element keeps that is there only because something inside it is shown. */
export const frameAttributes = ['className', 'id', 'lang', 'dir'] as const

export const teaserRules: Schema = {
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
