import type { Behaviours } from './behaviour.ts';
import { EVENT_BEHAVIOURS } from './behaviours/announcements.ts';
import { BATCH_BEHAVIOURS } from './behaviours/batches.ts';
import { CALL_BEHAVIOURS } from './behaviours/calls.ts';
import { CHANGE_BEHAVIOURS } from './behaviours/changes.ts';
import { DESCRIPTION_BEHAVIOURS } from './behaviours/descriptions.ts';
import { FAILURE_BEHAVIOURS } from './behaviours/failures.ts';
import { HANDLE_BEHAVIOURS } from './behaviours/handles.ts';
import { HOOK_BEHAVIOURS } from './behaviours/hooks.ts';
import { LEASE_BEHAVIOURS } from './behaviours/leases.ts';
import { LIFECYCLE_BEHAVIOURS } from './behaviours/lifecycle.ts';
import { LIMIT_BEHAVIOURS } from './behaviours/limits.ts';
import { NESTING_BEHAVIOURS } from './behaviours/nesting.ts';
import { PARAMETER_BEHAVIOURS } from './behaviours/parameters.ts';
import { STREAM_BEHAVIOURS } from './behaviours/streams.ts';
import { TRANSACTION_BEHAVIOURS } from './behaviours/transactions.ts';
import { TRANSACTIONAL_BEHAVIOURS } from './behaviours/transactional-functions.ts';
import { VALUE_BEHAVIOURS } from './behaviours/values.ts';

/** The whole contract, by subject. Subject and sentence together are a behaviour's name. */
export const CONTRACT: Readonly<Record<string, Behaviours>> = {
  'a call': CALL_BEHAVIOURS,
  parameters: PARAMETER_BEHAVIOURS,
  'a value': VALUE_BEHAVIOURS,
  'an error': FAILURE_BEHAVIOURS,
  'a batch': BATCH_BEHAVIOURS,
  'a stream': STREAM_BEHAVIOURS,
  'a transaction': TRANSACTION_BEHAVIOURS,
  'a transaction inside another': NESTING_BEHAVIOURS,
  'a transaction handle': HANDLE_BEHAVIOURS,
  hooks: HOOK_BEHAVIOURS,
  'transactional functions': TRANSACTIONAL_BEHAVIOURS,
  'a limit': LIMIT_BEHAVIOURS,
  'a lease': LEASE_BEHAVIOURS,
  'a database': LIFECYCLE_BEHAVIOURS,
  events: EVENT_BEHAVIOURS,
  changes: CHANGE_BEHAVIOURS,
  'a description': DESCRIPTION_BEHAVIOURS,
};
