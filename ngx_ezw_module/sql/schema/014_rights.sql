-- What the runtime role may: read, run the functions, and write what they
-- write. It owns nothing and makes no tables.

revoke all on all functions in schema ezw from public;
grant execute on all functions in schema ezw to ezw_runtime;

grant select on all tables in schema ezw to ezw_runtime;
grant usage on sequence ezw.event_seq to ezw_runtime;

grant update on
    ezw.api_key,
    ezw.change_counter,
    ezw.channel,
    ezw.deployment
to ezw_runtime;

-- to lock what a conversation is given: a member, an assistant, a team, a label
grant update on
    ezw.assistant,
    ezw.label,
    ezw.membership,
    ezw.team
to ezw_runtime;

grant insert on
    ezw.audit_log
to ezw_runtime;

grant insert, delete on
    ezw.change,
    ezw.conversation_label,
    ezw.event
to ezw_runtime;

grant insert, update, delete on
    ezw.block,
    ezw.contact,
    ezw.conversation,
    ezw.idempotency,
    ezw.message,
    ezw.outbox,
    ezw.provider_message
to ezw_runtime;

grant delete on
    ezw.attachment,
    ezw.comment,
    ezw.contact_alias,
    ezw.contact_note,
    ezw.delivery,
    ezw.list_participant
to ezw_runtime;
