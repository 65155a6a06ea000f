import FuzzDriver
import FuzzLaws

FuzzDriver.run(.captureFile)
