import FuzzDriver
import FuzzLaws

FuzzDriver.run(.tlsRecords)
