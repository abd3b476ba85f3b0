-- The audit trail in the database. Whoever writes, by whatever way, leaves an entry: the functions belong to the
-- role that owns the tables, and no other may insert. A change here needs a migration that runs it.

-- Columns whose values never enter the trail, in whatever table: only that they changed.
CREATE FUNCTION audit_kept_out() RETURNS text[] LANGUAGE sql IMMUTABLE
    RETURN ARRAY[
        'given_name', 'family_name', 'email', 'phone', 'birth_date', 'guardian_name', 'to_email',  -- contact
        'case_number', 'case_numbers',  -- known outside, as names are
        'password', 'secret', 'token_hash', 'code_hash', 'digest', 'token_key', 'data',  -- secrets
        'subject', 'text_sealed', 'html_sealed', 'images', 'last_error'  -- e-mails
    ];

CREATE FUNCTION audit_changes(before jsonb, after jsonb, kept_out text[], passed_over text[]) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    AS $$
        -- Of a new row only what was filled in.
        SELECT jsonb_object_agg(
            name,
            CASE WHEN name <> ALL (kept_out) THEN jsonb_build_array(before -> name, after -> name) END
        )
        FROM jsonb_object_keys(coalesce(after, before)) AS name
        WHERE name <> ALL (passed_over)
            AND before -> name IS DISTINCT FROM after -> name
            AND NOT (before IS NULL AND after -> name IN ('null', '""', '[]', '{}', 'false', '"\\x"'))
    $$;

CREATE FUNCTION audit_write(
    of_table text, of_row text, of_clinic bigint, of_patient uuid,
    before jsonb, after jsonb, kept_out text[], passed_over text[], is_compact boolean
) RETURNS void LANGUAGE plpgsql
    AS $$
        DECLARE
            origin CONSTANT jsonb := nullif(current_setting('audit.origin', true), '')::jsonb;
            found jsonb;
        BEGIN
            IF before IS NOT NULL OR NOT is_compact THEN
                found := audit_changes(before, after, kept_out || audit_kept_out(), passed_over);
            END IF;
            IF found IS NULL AND before IS NOT NULL AND after IS NOT NULL THEN
                RETURN;  -- nothing changed
            END IF;
            INSERT INTO clinic_auditentry
                (clinic_id, who, address, route, action, table_name, row_id, patients, why, changes)
            VALUES (
                of_clinic,
                coalesce(origin ->> 'who', 'role:' || session_user),
                nullif(origin ->> 'address', '')::inet,
                coalesce(origin ->> 'route', ''),
                CASE WHEN before IS NULL THEN 'added' WHEN after IS NULL THEN 'deleted' ELSE 'changed' END,
                of_table, of_row, array_remove(ARRAY[of_patient], NULL),
                coalesce(origin ->> 'why', ''), found
            );
        END
    $$;
REVOKE EXECUTE ON FUNCTION audit_write FROM PUBLIC;

CREATE FUNCTION audit_truncate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp
    AS $$
        BEGIN
            PERFORM audit_write(TG_TABLE_NAME, '', NULL, NULL, '{}', NULL, '{}', '{}', false);
            RETURN NULL;
        END
    $$;

CREATE FUNCTION audit_read(what text, place text, clinics bigint[], whose uuid[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
        DECLARE
            origin CONSTANT jsonb := nullif(current_setting('audit.origin', true), '')::jsonb;
        BEGIN
            IF what NOT IN ('read', 'exported') THEN
                RAISE EXCEPTION 'a reading is read or exported, not %', what;
            END IF;
            INSERT INTO clinic_auditentry
                (clinic_id, who, address, route, action, table_name, row_id, patients, why)
            SELECT
                clinic, coalesce(origin ->> 'who', 'role:' || session_user),
                nullif(origin ->> 'address', '')::inet, coalesce(origin ->> 'route', ''),
                what, '', place, array_agg(patient ORDER BY patient), coalesce(origin ->> 'why', '')
            FROM unnest(clinics, whose) AS shown (clinic, patient)
            GROUP BY clinic;
        END
    $$;

CREATE FUNCTION audit_digest(changes jsonb) RETURNS bytea LANGUAGE sql IMMUTABLE
    RETURN sha256(convert_to(changes::text, 'UTF8'));

-- The values by their digest: the chain can be proved when they are gone. An entry has the one or the other.
CREATE FUNCTION audit_text(entry clinic_auditentry) RETURNS text LANGUAGE sql STABLE
    AS $$ SELECT jsonb_build_array(
    entry.position, entry.id, extract(epoch FROM entry.at), entry.clinic_id, entry.who, host(entry.address), entry.route,
    entry.action, entry.table_name, entry.row_id, entry.patients, entry.why,
    encode(
        CASE
            WHEN entry.changes IS NULL THEN entry.changes_digest
            WHEN entry.changes_digest IS NULL THEN audit_digest(entry.changes)
        END,
        'hex'
    )
)::text $$;

-- Whatever has been committed, however late, is unsealed until it is sealed: no entry is passed over.
CREATE FUNCTION audit_seal(most integer) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp
    AS $$
        DECLARE
            entry clinic_auditentry;
            place bigint;
            link bytea;
            sealed integer := 0;
        BEGIN
            PERFORM pg_advisory_xact_lock(hashtext('audit_seal'));  -- one sealer after the other
            SELECT position, hash INTO place, link FROM clinic_auditseal ORDER BY position DESC LIMIT 1;
            place := coalesce(place, 0);
            link := coalesce(link, '');
            FOR entry IN SELECT * FROM clinic_auditentry WHERE position IS NULL ORDER BY id LIMIT most LOOP
                place := place + 1;
                sealed := sealed + 1;
                entry.position := place;
                link := sha256(link || convert_to(audit_text(entry), 'UTF8'));
                UPDATE clinic_auditentry SET position = place, hash = link WHERE id = entry.id;
            END LOOP;
            IF sealed > 0 THEN
                INSERT INTO clinic_auditseal (position, hash, entries) VALUES (place, link, sealed);
            END IF;
            RETURN sealed;
        END
    $$;

CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql
    AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'clinic_auditentry' THEN
                -- An entry is sealed, once.
                IF to_jsonb(OLD) ->> 'position' IS NULL
                    AND to_jsonb(OLD) - '{position,hash}'::text[] = to_jsonb(NEW) - '{position,hash}'::text[]
                THEN
                    RETURN NEW;
                END IF;
                -- Its values may go, for their digest.
                IF NEW.changes IS NULL AND NEW.changes_digest = audit_digest(OLD.changes)
                    AND to_jsonb(OLD) - '{changes,changes_digest}'::text[]
                        = to_jsonb(NEW) - '{changes,changes_digest}'::text[]
                THEN
                    RETURN NEW;
                END IF;
            END IF;
            RAISE EXCEPTION 'the audit trail is append-only';
        END
    $$;
CREATE TRIGGER refuse BEFORE UPDATE OR DELETE ON clinic_auditentry
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER refuse BEFORE UPDATE OR DELETE ON clinic_auditseal
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON clinic_auditentry EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON clinic_auditseal EXECUTE FUNCTION audit_refuse();

-- What the roles of the application were granted on every new table.
DO $$
    DECLARE
        role regrole;
    BEGIN
        FOR role IN
            SELECT DISTINCT granted.grantee::regrole
            FROM pg_class, aclexplode(relacl) AS granted
            WHERE relname IN ('clinic_auditentry', 'clinic_auditseal') AND granted.grantee <> relowner
        LOOP
            EXECUTE format(
                'REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON clinic_auditentry, clinic_auditseal FROM %s', role
            );
        END LOOP;
    END
$$;
