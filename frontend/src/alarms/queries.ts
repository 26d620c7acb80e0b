// Alarms with what people do about them; rules; silences and maintenance windows.
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, type MaybeRefOrGetter, toValue, watch } from 'vue'
import { body, client, newKey } from '@/api/client'
import type { ApiProblem } from '@/api/problem'
import type { components, paths } from '@/api/schema'
import { useTopic } from '@/live/useTopic'

type Schemas = components['schemas']
export type Alarm = Schemas['AlarmOut']
export type AlarmDetail = Schemas['AlarmDetailOut']
export type Silence = Schemas['SilenceOut']
export type SilenceWish = Schemas['SilenceIn']
export type MaintenanceWindow = Schemas['WindowOut']
export type WindowWish = Schemas['WindowIn']
export type AlarmFilter = NonNullable<paths['/api/v1/alarms']['get']['parameters']['query']>

/** A rule of the document as far as this screen reads it. */
export interface Rule {
  code: string
  kind: string
  enabled: boolean
  severity: string
  title_zh: string
  title_en: string
  runbook_zh: string
  runbook_en: string
  scope: Record<string, string[]>
  params: Record<string, unknown>
  notify: string[]
  escalate: { to: string[]; after_min: number }[]
}

export const SEVERITIES = ['critical', 'warning', 'info'] as const
const header = () => ({ 'Idempotency-Key': newKey() })

/** Asked anew whenever the live topic moves: an alarm came, went, or was acknowledged. */
export function useAlarms(filter: MaybeRefOrGetter<AlarmFilter>) {
  const queries = useQueryClient()
  const topic = useTopic<Partial<Alarm>>('alarms')
  watch(topic.values, () => queries.invalidateQueries({ queryKey: ['alarms'] }))
  const query = useQuery({
    queryKey: computed(() => ['alarms', 'list', toValue(filter)]),
    queryFn: () => body(client.GET('/api/v1/alarms', { params: { query: toValue(filter) } })),
    placeholderData: keepPreviousData,
    refetchInterval: 30_000,
  })
  return { ...query, topic }
}

export function useAlarm(id: MaybeRefOrGetter<number>) {
  return useQuery({
    queryKey: computed(() => ['alarms', 'one', toValue(id)]),
    queryFn: () =>
      body(
        client.GET('/api/v1/alarms/{alarm_id}', { params: { path: { alarm_id: toValue(id) } } }),
      ),
  })
}

export function useAcknowledge() {
  const queries = useQueryClient()
  return useMutation<Alarm, ApiProblem, number>({
    mutationFn: (alarm_id) =>
      body(
        client.POST('/api/v1/alarms/{alarm_id}/acknowledge', {
          params: { path: { alarm_id }, header: header() },
        }),
      ),
    onSettled: () => queries.invalidateQueries({ queryKey: ['alarms'] }),
  })
}

export function useComment(alarm_id: number) {
  const queries = useQueryClient()
  return useMutation<AlarmDetail, ApiProblem, string>({
    mutationFn: (text) =>
      body(
        client.POST('/api/v1/alarms/{alarm_id}/comments', {
          params: { path: { alarm_id }, header: header() },
          body: { text },
        }),
      ),
    onSuccess: (detail) => queries.setQueryData(['alarms', 'one', alarm_id], detail),
  })
}

export function useRules() {
  return useQuery({
    queryKey: ['alarm-rules'],
    queryFn: async () => {
      const found = await body(client.GET('/api/v1/alarm-rules'))
      return { ...found, rules: found.rules as unknown as Rule[] }
    },
    staleTime: 10_000,
  })
}

export function useEditRule() {
  const queries = useQueryClient()
  return useMutation<
    Schemas['AlarmRulesOut'],
    ApiProblem,
    { rule: Rule; note: string; version: number }
  >({
    mutationFn: ({ rule, note, version }) =>
      body(
        client.PUT('/api/v1/alarm-rules/{code}', {
          params: { path: { code: rule.code }, header: { 'If-Match': `"${version}"` } },
          body: { rule: { ...rule }, note },
        }),
      ),
    onSettled: () => queries.invalidateQueries({ queryKey: ['alarm-rules'] }),
  })
}

export function useSilences() {
  return useQuery({
    queryKey: ['silences'],
    queryFn: () => body(client.GET('/api/v1/alarm-silences')),
    refetchInterval: 20_000,
  })
}

export function useSilence() {
  const queries = useQueryClient()
  return useMutation<Silence, ApiProblem, SilenceWish>({
    mutationFn: (wish) =>
      body(client.POST('/api/v1/alarm-silences', { params: { header: header() }, body: wish })),
    onSettled: () => queries.invalidateQueries({ queryKey: ['silences'] }),
  })
}

export function useEndSilence() {
  const queries = useQueryClient()
  return useMutation<Silence, ApiProblem, number>({
    mutationFn: (silence_id) =>
      body(
        client.POST('/api/v1/alarm-silences/{silence_id}/end', {
          params: { path: { silence_id }, header: header() },
        }),
      ),
    onSettled: () => queries.invalidateQueries({ queryKey: ['silences'] }),
  })
}

export function useWindows(device: MaybeRefOrGetter<string> = '') {
  return useQuery({
    queryKey: computed(() => ['windows', toValue(device)]),
    queryFn: async () => {
      const query = { device: toValue(device), limit: 100 }
      return (await body(client.GET('/api/v1/maintenance-windows', { params: { query } }))).items
    },
    refetchInterval: 20_000,
  })
}

export function useOpenWindow() {
  const queries = useQueryClient()
  return useMutation<MaintenanceWindow, ApiProblem, WindowWish>({
    mutationFn: (wish) =>
      body(
        client.POST('/api/v1/maintenance-windows', { params: { header: header() }, body: wish }),
      ),
    onSettled: () => queries.invalidateQueries({ queryKey: ['windows'] }),
  })
}

export function useCancelWindow() {
  const queries = useQueryClient()
  return useMutation<MaintenanceWindow, ApiProblem, number>({
    mutationFn: (window_id) =>
      body(
        client.POST('/api/v1/maintenance-windows/{window_id}/cancel', {
          params: { path: { window_id }, header: header() },
        }),
      ),
    onSettled: () => queries.invalidateQueries({ queryKey: ['windows'] }),
  })
}
