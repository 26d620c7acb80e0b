// Chinese is built in; English comes when asked for.
import { computed } from 'vue'
import { createI18n, useI18n } from 'vue-i18n'
import { useLanguage } from '@/api/client'
import type { Lang } from '@/format'
import zh from './zh'

const KEY = 'lang'
export const i18n = createI18n({
  legacy: false,
  locale: 'zh',
  fallbackLocale: 'zh',
  messages: { zh } as Record<Lang, typeof zh>,
})

export const storedLang = (): Lang | null => {
  const lang = localStorage.getItem(KEY)
  return lang === 'zh' || lang === 'en' ? lang : null
}

/** Switch the whole app; remembered in this browser. */
export async function setLang(lang: Lang): Promise<void> {
  if (lang === 'en' && !i18n.global.availableLocales.includes('en'))
    i18n.global.setLocaleMessage('en', (await import('./en')).default)
  i18n.global.locale.value = lang
  localStorage.setItem(KEY, lang)
  document.documentElement.lang = lang === 'zh' ? 'zh-CN' : 'en'
  useLanguage(lang)
}

interface Named {
  name_zh: string
  name_en: string
}

/** `t`, the language, and the right one of two names. */
export function useWords() {
  const { t, te } = useI18n({ useScope: 'global' })
  const lang = computed<Lang>(() => i18n.global.locale.value as Lang)
  const named = (thing: Named | null | undefined): string =>
    thing ? (lang.value === 'zh' ? thing.name_zh : thing.name_en) || thing.name_zh : ''
  /** A tenant as people call it: the short name where there is one. */
  const called = (tenant: (Named & { short_zh?: string }) | null | undefined): string => {
    if (!tenant) return ''
    if (lang.value === 'zh') return tenant.short_zh || tenant.name_zh.replace(/^虚构·/, '')
    return tenant.name_en.replace(' (Fictional)', '')
  }
  const either = (zh: string | undefined, en: string | undefined): string =>
    (lang.value === 'zh' ? zh : en) || zh || en || ''
  return { t, te, lang, named, called, either }
}
