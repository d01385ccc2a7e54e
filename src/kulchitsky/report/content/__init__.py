"""What the report says, section by section, as blocks that know neither HTML nor paper."""
