-- A provider may put back what it sent before a bad correction. The bytes that it sent last are what counts, so the same
-- bytes may be a later version as well; registering decides it, one file at a time.
alter table statement drop constraint statement_provider_stage_business_on_file_name_sha256_key;
