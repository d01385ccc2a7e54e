"""The words: records and closed vocabularies of a case, a finding, a measure, a verdict, an issue; units; errors."""
