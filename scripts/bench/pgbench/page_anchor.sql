-- The same page from the layout of naive.sql.
\set k random(0, 9999)
\set channel 31600000000 + :k % 10
\set contact 31700000000 + :k * 10 + :k % 10
select
    m.created_at as "createdAt",
    m.direction,
    m.error_code as "error?.code",
    m.error_text as "error?.message",
    m.message_id as "id",
    m.body as message,
    case when m.direction = 'IN' then v.contact_jid else m.sender_id end as "sender.id",
    m.sender_type as "sender.type",
    m.status,
    m.message_id is not null as "@row",
    m.created_at as "@cursor0",
    m.id as "@cursor1",
    null::int8 as "@total"
from ezw.channel h
join ezw.conversation v
  on v.company = h.company
 and v.channel = h.id
 and v.contact_jid = (:contact || '@whatsapp.eazy.im')
left join lateral (
    select
        n.created_at,
        n.id,
        n.message_id,
        n.direction,
        n.sender_type,
        n.sender_id,
        n.status,
        n.body,
        n.error_code,
        n.error_text
    from public.naive_message n
    where n.company = '00000000-0000-4000-8000-000000000001'::uuid
      and n.conversation = v.id
    order by n.created_at desc
    limit 51
) m on true
where h.company = '00000000-0000-4000-8000-000000000001'::uuid
  and h.jid = (:channel || '@whatsapp.eazy.im');
