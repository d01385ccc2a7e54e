"""Other people's formats: FHIR, phenopacket, cBioPortal, REDCap, plain tables; records in, records out."""
